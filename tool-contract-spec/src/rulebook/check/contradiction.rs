//! What one declaration rules out of the others (TC0012, TC0021).
//!
//! This comes before all other rules: what is ruled out is refused, and
//! nothing more is said of it.

use super::voice::Voice;
use super::words::Word;
use crate::draft::{Draft, Field, RollbackDraft, Surface};
use crate::policy::SideEffect;
use crate::rulebook::{Code, Finding};

/// The draft without what contradicts the rest of it.
pub(super) fn settled<At: Clone>(draft: &Draft<At>, findings: &mut Vec<Finding<At>>) -> Draft<At> {
    let voice = Voice::of(draft);
    let mut settled = draft.clone();
    match draft.side_effect.given().and_then(|written| SideEffect::of(&written.value)) {
        Some(SideEffect::Read) => settle_read(voice, &mut settled, findings),
        Some(SideEffect::Write) => settle_write(voice, &mut settled, findings),
        Some(SideEffect::Destructive) | None => {}
    }
    settle_idempotency(voice, &mut settled, findings);
    settle_reconcile(voice, &mut settled, findings);
    settled
}

/// TC0012: a read has nothing to repeat, undo, find out or confirm, and no claim
/// that could be counted while it lasts.
///
/// A contract may say so in so many words; an attribute leaves it out.
fn settle_read<At: Clone>(
    voice: Voice<'_>,
    draft: &mut Draft<At>,
    findings: &mut Vec<Finding<At>>,
) {
    let in_file = draft.surface == Surface::Contract;
    let contradicts = |name: &str| {
        let message = format!("`{}` is a read, and `{name}` contradicts that", voice.tool);
        let side_effect = voice.say("side_effect", "mode");
        let write = voice.assign(side_effect, SideEffect::Write.as_str());
        let help = format!("remove `{name}`, or write `{write}` if the tool changes something");
        (Code::CONTRADICTS_READ, message, help)
    };
    let mut refuse = Refuse { findings };
    refuse.unless(
        |claim| in_file && claim.claimed && claim.by.is_absent() && claim.key.is_absent(),
        &mut draft.idempotent,
        contradicts("idempotent"),
    );
    refuse.unless(
        |required| !required,
        &mut draft.key_required,
        contradicts("idempotency_key_required"),
    );
    refuse.unless(
        |rollback| in_file && *rollback == RollbackDraft::None,
        &mut draft.rollback,
        contradicts("rollback"),
    );
    refuse.always(&mut draft.reconcile, contradicts("reconcile"));
    refuse.unless(
        |wanted| !wanted,
        &mut draft.reconcile_on_unknown,
        contradicts("reconcile_on_unknown"),
    );
    refuse.always(&mut draft.confirm, contradicts(voice.say("confirm", "confirmation")));
    refuse.always(&mut draft.concurrency, contradicts("concurrency"));
}

/// TC0021: only what is destructive is confirmed.
fn settle_write<At: Clone>(
    voice: Voice<'_>,
    draft: &mut Draft<At>,
    findings: &mut Vec<Finding<At>>,
) {
    let (name, side_effect) = voice.say(("confirm", "side_effect"), ("confirmation", "mode"));
    let message = format!("`{}` is a write, and `{name}` is for what is destructive", voice.tool);
    let destructive = voice.assign(side_effect, SideEffect::Destructive.as_str());
    let help =
        format!("write `{destructive}` if a person is to say yes to each call, or remove `{name}`");
    Refuse { findings }.always(&mut draft.confirm, (Code::MALFORMED_FIELD, message, help));
}

/// TC0021: what is not idempotent has no key and nobody who dedupes on it.
fn settle_idempotency<At: Clone>(
    voice: Voice<'_>,
    draft: &mut Draft<At>,
    findings: &mut Vec<Finding<At>>,
) {
    let Field::Given { value, .. } = &mut draft.idempotent else { return };
    let claim = &mut value.value;
    if claim.claimed {
        return;
    }
    let contradicts = |name: &str| {
        let message = format!("`{}` is not idempotent, and `{name}` says how it is", voice.tool);
        let help =
            format!("remove `{name}`, or write `{}`", voice.say("idempotent", "idempotent: true"));
        (Code::MALFORMED_FIELD, message, help)
    };
    let mut refuse = Refuse { findings };
    refuse.always(&mut claim.by, contradicts("by"));
    refuse.always(&mut claim.key, contradicts("key"));
}

/// TC0021: a function that finds out is there to be asked.
fn settle_reconcile<At: Clone>(
    voice: Voice<'_>,
    draft: &mut Draft<At>,
    findings: &mut Vec<Finding<At>>,
) {
    if draft.reconcile.given().is_none() {
        return;
    }
    let message =
        format!("`{}` names a reconcile function, and then says not to reconcile", voice.tool);
    let help = "write `reconcile_on_unknown: true`, or remove `reconcile`".to_owned();
    Refuse { findings }.unless(
        |wanted| *wanted,
        &mut draft.reconcile_on_unknown,
        (Code::MALFORMED_FIELD, message, help),
    );
}

/// Refuses fields, with a finding at the key of each.
struct Refuse<'f, At> {
    findings: &'f mut Vec<Finding<At>>,
}

impl<At: Clone> Refuse<'_, At> {
    fn always<T>(&mut self, field: &mut Field<T, At>, because: (Code, String, String)) {
        self.unless(|_| false, field, because);
    }

    /// A field whose value `says_nothing` counts as not written.
    fn unless<T>(
        &mut self,
        says_nothing: impl FnOnce(&T) -> bool,
        field: &mut Field<T, At>,
        (code, message, help): (Code, String, String),
    ) {
        let Field::Given { key, value } = field else { return };
        if says_nothing(&value.value) {
            *field = Field::Absent;
        } else {
            self.findings.push(Finding::new(code, key.clone(), message, help));
            *field = Field::Refused;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, by, confirm, found, given, idempotent, keyed, never, read, reconcile, word, write,
    };

    #[test]
    fn tc0012_a_read_has_nothing_of_a_write() {
        let contradicts = |name| [(Code::CONTRADICTS_READ, At::Key(name))];
        for surface in BOTH {
            let manual = given("rollback", RollbackDraft::ManualOnly);
            assert_eq!(
                found(&Draft { rollback: manual, ..read(surface) }),
                contradicts("rollback")
            );
            assert_eq!(
                found(&Draft { reconcile: reconcile(), ..read(surface) }),
                contradicts("reconcile")
            );
            assert_eq!(
                found(&Draft { confirm: confirm(), ..read(surface) }),
                contradicts("confirm")
            );
            for idempotent in [never(), by("nature"), keyed("{order_id}")] {
                assert_eq!(
                    found(&Draft { idempotent, ..read(surface) }),
                    contradicts("idempotent")
                );
            }
        }
        let draft = Draft { key_required: given("key_required", true), ..read(Surface::Contract) };
        assert_eq!(found(&draft), contradicts("key_required"));
        let draft = Draft {
            reconcile_on_unknown: given("reconcile_on_unknown", true),
            ..read(Surface::Contract)
        };
        assert_eq!(found(&draft), contradicts("reconcile_on_unknown"));
    }

    #[test]
    fn a_contract_may_say_of_a_read_what_is_true_of_all() {
        let wordy = |surface| Draft {
            idempotent: idempotent(),
            key_required: given("key_required", false),
            rollback: given("rollback", RollbackDraft::None),
            reconcile_on_unknown: given("reconcile_on_unknown", false),
            ..read(surface)
        };
        let checked = check(&wordy(Surface::Contract));
        assert_eq!(checked.findings, []);
        assert_eq!(checked.contract, check(&read(Surface::Contract)).contract);
        let in_code = [
            (Code::CONTRADICTS_READ, At::Key("idempotent")),
            (Code::CONTRADICTS_READ, At::Key("rollback")),
        ];
        assert_eq!(found(&wordy(Surface::Attribute)), in_code);
    }

    #[test]
    fn a_contradiction_has_no_second_finding() {
        for surface in BOTH {
            let draft = Draft { idempotent: keyed("{"), ..read(surface) };
            assert_eq!(found(&draft), [(Code::CONTRADICTS_READ, At::Key("idempotent"))]);
        }
    }

    #[test]
    fn tc0021_only_what_is_destructive_is_confirmed() {
        for surface in BOTH {
            let draft = Draft { confirm: confirm(), ..write(surface) };
            assert_eq!(found(&draft), [(Code::MALFORMED_FIELD, At::Key("confirm"))]);
        }
    }

    #[test]
    fn tc0021_what_is_not_idempotent_has_no_key() {
        for (claim, name) in [(by("nature"), "by"), (keyed("{order_id}"), "key")] {
            let mut draft = Draft {
                idempotent: claim,
                key_required: Field::Absent,
                ..write(Surface::Contract)
            };
            if let Field::Given { value, .. } = &mut draft.idempotent {
                value.value.claimed = false;
            }
            assert_eq!(found(&draft), [(Code::MALFORMED_FIELD, At::Key(name))]);
        }
    }

    #[test]
    fn tc0021_a_reconcile_function_is_asked() {
        let asked = |asked| Draft {
            reconcile: reconcile(),
            reconcile_on_unknown: given("reconcile_on_unknown", asked),
            ..write(Surface::Contract)
        };
        assert_eq!(found(&asked(true)), []);
        assert_eq!(
            found(&asked(false)),
            [(Code::MALFORMED_FIELD, At::Key("reconcile_on_unknown"))]
        );
    }

    #[test]
    fn reconciling_without_a_function_means_a_person() {
        for wanted in [true, false] {
            let reconcile_on_unknown = given("reconcile_on_unknown", wanted);
            let checked = check(&Draft { reconcile_on_unknown, ..write(Surface::Contract) });
            assert_eq!(checked.contract.unwrap().policy.reconcile, None);
        }
    }

    #[test]
    fn a_misspelt_side_effect_contradicts_nothing() {
        let draft = Draft {
            side_effect: word("side_effect", "raed"),
            confirm: confirm(),
            ..read(Surface::Attribute)
        };
        assert_eq!(found(&draft), [(Code::UNKNOWN_SIDE_EFFECT, At::Value("side_effect"))]);
    }
}
