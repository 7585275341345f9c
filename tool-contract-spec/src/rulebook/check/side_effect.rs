//! What a tool that changes something must decide
//! (TC0001, TC0003, TC0010, TC0011, TC0101, TC0102).

use super::declared::Declared;
use crate::draft::RollbackDraft;
use crate::policy::{DedupedBy, SideEffect};
use crate::rulebook::{Code, Finding};

/// TC0001: somebody decided what the tool does to the world.
pub(super) fn missing<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    tool.side_effect.is_absent().then(|| {
        let name = tool.voice.say("side_effect", "mode");
        let message = format!(
            "`{}` does not say what it does to the world: `{name}` is missing",
            tool.voice.tool
        );
        let [read, write, destructive] =
            SideEffect::ALL.map(|class| tool.voice.assign(name, class.as_str()));
        let help = format!(
            "write `{read}` if it changes nothing, `{write}` if it changes something, \
             `{destructive}` if that cannot be brought back"
        );
        Finding::new(Code::MISSING_SIDE_EFFECT, tool.draft.at.clone(), message, help)
    })
}

/// TC0003: the meaning of a repeated call is stated.
pub(super) fn missing_idempotency<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let change = tool.change()?;
    tool.idempotent.is_absent().then(|| {
        let message = format!(
            "`{}` is {} but does not say what a second call with the same intent does: `idempotent` is missing",
            tool.voice.tool,
            described(change),
        );
        let help = tool.voice.say(
            "write `idempotent` if the caller brings a key, `idempotent(key = \"{..}\")` to derive the key from \
             arguments, or `idempotent = false` if every call is meant anew",
            "write `idempotent: true` and `idempotency_key_required: true` if the caller brings a key, or \
             `idempotent: false` if every call is meant anew",
        );
        Finding::new(Code::MISSING_IDEMPOTENCY, tool.absence(), message, help)
    })
}

/// TC0010: the rollback boundary is decided before the incident.
pub(super) fn missing_rollback<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let change = tool.change()?;
    tool.draft.rollback.is_absent().then(|| {
        let message = format!(
            "`{}` is {} but does not say how it is undone: `rollback` is missing",
            tool.voice.tool,
            described(change),
        );
        let help = tool.voice.say(
            "write `rollback = \"path::to::function\"`, `rollback = \"manual_only\"` if a person undoes it, \
             or `rollback = \"none\"` if nothing can",
            "write `rollback: { strategy: compensate, with: \"path::to::function\" }`, \
             `rollback: { strategy: manual_only }` if a person undoes it, or `rollback: { strategy: none }` if \
             nothing can",
        );
        Finding::new(Code::MISSING_ROLLBACK, tool.absence(), message, help)
    })
}

/// TC0011: a person says yes to what cannot be brought back.
pub(super) fn missing_confirm<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    (tool.change()? == SideEffect::Destructive && tool.confirm.is_absent()).then(|| {
        let (name, form) = tool.voice.say(
            ("confirm", "confirm(by = \"human\", ttl = \"15m\")"),
            ("confirmation", "confirmation: { by: human, ttl: 15m }"),
        );
        let message = format!(
            "`{}` is destructive but nobody is asked: `{name}` is missing",
            tool.voice.tool
        );
        Finding::new(Code::MISSING_CONFIRM, tool.absence(), message, format!("write `{form}`"))
    })
}

/// TC0101: a runaway agent meets a limit.
pub(super) fn no_rate_limit<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let change = tool.change()?;
    tool.limits.accepted().ok()?.is_none_or(Vec::is_empty).then(|| {
        let message =
            format!("`{}` is {} without a rate limit", tool.voice.tool, described(change));
        let form = tool.voice.say(
            "rate_limit(per_tenant = \"20/min\")",
            "rate_limit: { per_tenant_per_minute: 20 }",
        );
        Finding::new(
            Code::NO_RATE_LIMIT,
            tool.absence(),
            message,
            format!("write for instance `{form}`"),
        )
    })
}

/// TC0102: something other than a person can settle an unknown outcome.
pub(super) fn no_reconcile<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let by_ledger = tool.keyed()?.by().ok()? == DedupedBy::Ledger;
    let is_manual = matches!(
        tool.draft.rollback.given()?.value,
        RollbackDraft::None | RollbackDraft::ManualOnly
    );
    (by_ledger && is_manual && tool.reconcile.is_absent()).then(|| {
        let message = format!(
            "whenever `{}` gets no answer, its key will wait for a person: it has no `reconcile` function and no \
             rollback function",
            tool.voice.tool
        );
        let form = tool.voice.say("reconcile = \"path::to::function\"", "reconcile: { with: \"path::to::function\" }");
        let help = format!("write `{form}`, a function that asks the other side whether the operation happened");
        Finding::new(Code::NO_RECONCILE, tool.absence(), message, help)
    })
}

fn described(change: SideEffect) -> &'static str {
    match change {
        SideEffect::Destructive => "destructive",
        SideEffect::Read | SideEffect::Write => "a write",
    }
}

#[cfg(test)]
mod tests {
    use crate::draft::{Draft, Field, RollbackDraft};
    use crate::rulebook::Code;
    use crate::rulebook::check::fixture::{
        At, BOTH, absence, bare, by, destructive, found, given, idempotent, never, read, reconcile,
        word, write,
    };

    #[test]
    fn drafts_that_say_everything_pass() {
        for surface in BOTH {
            for draft in [read(surface), write(surface), destructive(surface)] {
                assert_eq!(found(&draft), []);
            }
        }
    }

    #[test]
    fn tc0001_the_side_effect_is_said() {
        for surface in BOTH {
            assert_eq!(found(&bare(surface)), [(Code::MISSING_SIDE_EFFECT, At::Tool)]);
        }
    }

    #[test]
    fn tc0002_the_side_effect_is_known() {
        for surface in BOTH {
            let draft = Draft { side_effect: word("side_effect", "wirte"), ..write(surface) };
            assert_eq!(found(&draft), [(Code::UNKNOWN_SIDE_EFFECT, At::Value("side_effect"))]);
        }
    }

    #[test]
    fn an_unclear_side_effect_is_one_mistake() {
        for surface in BOTH {
            let misspelt = Draft { side_effect: word("side_effect", "deletes"), ..bare(surface) };
            assert_eq!(found(&misspelt), [(Code::UNKNOWN_SIDE_EFFECT, At::Value("side_effect"))]);
            let refused = Draft { side_effect: Field::Refused, ..bare(surface) };
            assert_eq!(found(&refused), []);
        }
    }

    #[test]
    fn tc0003_repetition_is_decided() {
        for surface in BOTH {
            for whole in [write(surface), destructive(surface)] {
                let draft = Draft { idempotent: Field::Absent, ..whole };
                assert_eq!(found(&draft), [(Code::MISSING_IDEMPOTENCY, absence(surface))]);
            }
            let never =
                Draft { idempotent: never(), key_required: Field::Absent, ..write(surface) };
            assert_eq!(found(&never), []);
        }
    }

    #[test]
    fn tc0010_the_rollback_boundary_is_decided() {
        for surface in BOTH {
            for whole in [write(surface), destructive(surface)] {
                let draft = Draft { rollback: Field::Absent, ..whole };
                assert_eq!(found(&draft), [(Code::MISSING_ROLLBACK, absence(surface))]);
            }
        }
    }

    #[test]
    fn tc0011_what_is_destructive_is_confirmed() {
        for surface in BOTH {
            let draft = Draft { confirm: Field::Absent, ..destructive(surface) };
            assert_eq!(found(&draft), [(Code::MISSING_CONFIRM, absence(surface))]);
        }
    }

    #[test]
    fn tc0101_a_limit_is_advised() {
        for surface in BOTH {
            for rate_limit in [Field::Absent, given("rate_limit", Vec::new())] {
                let draft = Draft { rate_limit, ..write(surface) };
                assert_eq!(found(&draft), [(Code::NO_RATE_LIMIT, absence(surface))]);
            }
        }
    }

    #[test]
    fn tc0102_a_way_to_find_out_is_advised() {
        for surface in BOTH {
            for boundary in [RollbackDraft::None, RollbackDraft::ManualOnly] {
                let rollback = given("rollback", boundary);
                let draft = Draft { rollback: rollback.clone(), ..write(surface) };
                assert_eq!(found(&draft), [(Code::NO_RECONCILE, absence(surface))]);
                for idempotent in [by("downstream"), by("nature")] {
                    let draft = Draft { rollback: rollback.clone(), idempotent, ..write(surface) };
                    assert_eq!(found(&draft), []);
                }
                let draft = Draft {
                    rollback,
                    reconcile: reconcile(),
                    idempotent: idempotent(),
                    ..write(surface)
                };
                assert_eq!(found(&draft), []);
            }
        }
    }
}
