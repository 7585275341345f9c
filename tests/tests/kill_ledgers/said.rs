//! What all workers have said.

use std::collections::{BTreeMap, HashMap};

/// A call: its tool, and the number that is its key.
pub(crate) type Call = (String, u64);

#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// How often each word was said.
    pub(crate) words: BTreeMap<String, u64>,
    /// How often it was said of a call that it ran, where it succeeded at all.
    pub(crate) successes: HashMap<Call, u64>,
}

impl Said {
    /// Takes a line: a word, a tool and a number. The last line of who is killed
    /// may be cut: then it does not count.
    pub(crate) fn take(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let [word, tool, number] = &*words else { return };
        assert_ne!(*word, "error", "{line}");
        *self.words.entry((*word).to_owned()).or_default() += 1;
        if matches!(*word, "ran" | "replayed") {
            let call = ((*tool).to_owned(), number.parse().unwrap());
            *self.successes.entry(call).or_default() += u64::from(*word == "ran");
        }
    }

    /// How many calls the ledger has answered.
    pub(crate) fn answered(&self) -> u64 {
        let all = self.words.iter().filter(|(word, _)| *word != "unavailable");
        all.map(|(_, times)| times).sum()
    }
}
