//! Words of which only a few are known (TC0002, TC0021).

use super::voice::{Voice, one_of, quoted};
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
        let written_word = quoted(&written.value);
        let message = format!(
            "`{name}` of `{}` is {written_word}, which is not {}",
            voice.tool,
            one_of(&words)
        );
        let choices: Vec<String> = words.iter().map(|word| voice.assign(name, word)).collect();
        let help = match likely(&written.value, words) {
            Some(meant) => format!("did you mean `{}`?", voice.assign(name, meant)),
            None => format!("write {}", one_of(&choices)),
        };
        Finding::new(code, written.at.clone(), message, help)
    })
}

#[cfg(test)]
mod tests {
    use crate::draft::Surface;
    use crate::draft::{Draft, Field};
    use crate::rulebook::Code;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, Sketch, but, by, confirm, destructive, found, retry, word, write,
    };

    fn help(draft: &Sketch) -> String {
        check(draft).findings.remove(0).help
    }

    #[test]
    fn tc0021_words_are_known() {
        for surface in BOTH {
            let refused = |name| [(Code::MALFORMED_FIELD, At::Value(name))];
            let network = || retry(3, &["network"]);
            assert_eq!(found(&Draft { idempotent: by("ledgre"), ..write(surface) }), refused("by"));
            let backoff = but(network(), |retry| retry.backoff = word("backoff", "linear"));
            assert_eq!(found(&Draft { retry: backoff, ..write(surface) }), refused("backoff"));
            let jitter = but(network(), |retry| retry.jitter = word("jitter", "half"));
            assert_eq!(found(&Draft { retry: jitter, ..write(surface) }), refused("jitter"));
            assert_eq!(
                found(&Draft { in_flight: word("in_flight", "queue"), ..write(surface) }),
                refused("in_flight")
            );
            assert_eq!(
                found(&Draft { remint: word("remint", "allow"), ..write(surface) }),
                refused("remint")
            );
            let confirm = but(confirm(), |confirm| confirm.by = word("by", "robot"));
            assert_eq!(found(&Draft { confirm, ..destructive(surface) }), refused("by"));
        }
    }

    #[test]
    fn words_that_are_known_pass() {
        for surface in BOTH {
            let retry = but(retry(3, &["network"]), |retry| {
                retry.backoff = word("backoff", "constant");
                retry.jitter = word("jitter", "none");
            });
            let draft = Draft {
                retry,
                in_flight: word("in_flight", "reject"),
                remint: word("remint", "replay"),
                idempotent: by("ledger"),
                ..write(surface)
            };
            assert_eq!(found(&draft), []);
        }
    }

    #[test]
    fn the_likely_word_is_named_in_the_language_of_the_surface() {
        let draft =
            |surface| Draft { side_effect: word("side_effect", "DELETE"), ..write(surface) };
        assert_eq!(
            help(&draft(Surface::Attribute)),
            "did you mean `side_effect = \"destructive\"`?"
        );
        assert_eq!(help(&draft(Surface::Contract)), "did you mean `mode: destructive`?");
        let far = Draft { in_flight: word("in_flight", "whatever"), ..write(Surface::Contract) };
        assert_eq!(help(&far), "write `in_flight: wait` or `in_flight: reject`");
    }

    #[test]
    fn what_another_refused_is_passed_over() {
        for surface in BOTH {
            let draft =
                Draft { in_flight: Field::Refused, remint: Field::Refused, ..write(surface) };
            let checked = check(&draft);
            assert_eq!((checked.contract, checked.findings), (None, Vec::new()));
        }
    }
}
