//! A person's yes to what cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use super::{Kind, Problem};
use crate::report::complain;

/// How much of an answer is read.
const LONGEST: u64 = 1_024;

/// Has the person at the terminal type `word`. Where nobody is, nobody is asked:
/// a program has to say `--yes`.
pub(crate) fn confirm(word: &str) -> Result<(), Problem> {
    if !io::stdin().is_terminal() {
        let message = "nothing was changed, for nobody is here to confirm it".to_owned();
        return Err(Problem::new(Kind::Unconfirmed, message).help("add `--yes` if it is meant"));
    }
    complain(&format!("To go on, type {word}"));
    let mut typed = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut typed);
    if read.is_ok() && typed.trim() == word {
        return Ok(());
    }
    let message = "nothing was changed, for that was something else".to_owned();
    Err(Problem::new(Kind::Unconfirmed, message))
}
