//! Words of which only a few are known (TC0002, TC0021).

use super::voice::{Voice, one_of};
use crate::draft::Located;
use crate::policy::{Backoff, DedupedBy, InFlight, Jitter, Remint, SideEffect};
use crate::rulebook::suggest::likely;
use crate::rulebook::{Code, Finding};

/// A value that is written as one of a few words.
pub(super) trait Word: Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// The word for it.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

/// Policies that already know their words.
macro_rules! words {
    ($($policy:ty),*) => {
        $(impl Word for $policy {
            const ALL: &'static [Self] = &<$policy>::ALL;

            fn word(self) -> &'static str {
                self.as_str()
            }
        })*
    };
}
words!(SideEffect, DedupedBy, Backoff, Jitter, InFlight, Remint);

/// Who confirms a destructive action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Human;

impl Word for Human {
    const ALL: &'static [Self] = &[Self];

    fn word(self) -> &'static str {
        "human"
    }
}

/// TC0002: `side_effect` is read, write or destructive.
pub(super) fn side_effect<At: Clone>(
    voice: Voice<'_>,
    written: &Located<String, At>,
) -> Result<SideEffect, Finding<At>> {
    let name = voice.say("side_effect", "mode");
    known(Code::UNKNOWN_SIDE_EFFECT, name, voice, written)
}

/// TC0021: a word is one of those that its key knows.
pub(super) fn word<W: Word, At: Clone>(
    name: &str,
    voice: Voice<'_>,
    written: &Located<String, At>,
) -> Result<W, Finding<At>> {
    known(Code::MALFORMED_FIELD, name, voice, written)
}

fn known<W: Word, At: Clone>(
    code: Code,
    name: &str,
    voice: Voice<'_>,
    written: &Located<String, At>,
) -> Result<W, Finding<At>> {
    W::of(&written.value).ok_or_else(|| {
        let words: Vec<&str> = W::ALL.iter().map(|value| value.word()).collect();
        let message = format!("`{}` of `{}` is `{}`, which is not {}", name, voice.tool, written.value, one_of(&words));
        let choices: Vec<String> = words.iter().map(|word| voice.assign(name, word)).collect();
        let help = match likely(&written.value, words) {
            Some(meant) => format!("did you mean `{}`?", voice.assign(name, meant)),
            None => format!("write {}", one_of(&choices)),
        };
        Finding::new(code, written.at.clone(), message, help)
    })
}
