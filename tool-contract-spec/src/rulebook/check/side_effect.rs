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
        let message = format!("`{}` does not say what it does to the world: `{name}` is missing", tool.voice.tool);
        let [read, write, destructive] = SideEffect::ALL.map(|class| tool.voice.assign(name, class.as_str()));
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
        let message = format!("`{}` is destructive but nobody is asked: `{name}` is missing", tool.voice.tool);
        Finding::new(Code::MISSING_CONFIRM, tool.absence(), message, format!("write `{form}`"))
    })
}

/// TC0101: a runaway agent meets a limit.
pub(super) fn no_rate_limit<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let change = tool.change()?;
    tool.limits.accepted().ok()?.is_none_or(Vec::is_empty).then(|| {
        let message = format!("`{}` is {} without a rate limit", tool.voice.tool, described(change));
        let form = tool.voice.say("rate_limit(per_tenant = \"20/min\")", "rate_limit: { per_tenant_per_minute: 20 }");
        Finding::new(Code::NO_RATE_LIMIT, tool.absence(), message, format!("write for instance `{form}`"))
    })
}

/// TC0102: something other than a person can settle an unknown outcome.
pub(super) fn no_reconcile<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let by_ledger = tool.keyed()?.by().ok()? == DedupedBy::Ledger;
    let is_manual = matches!(tool.draft.rollback.given()?.value, RollbackDraft::None | RollbackDraft::ManualOnly);
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
