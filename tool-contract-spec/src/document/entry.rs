//! From the map of a tool to its entry.

use super::group::{Group, Reader, listed};
use super::node::{Kind, Name, Node};
use super::{Entry, Position, Schemas, argument, limit};
use crate::draft::{
    BreakerDraft, ConfirmDraft, Draft, Field, IdempotentDraft, Located, ReconcileDraft, RetryDraft,
    RollbackDraft, Surface, TtlDraft,
};
use crate::rulebook::{Code, Finding, check, suggest};

/// The fields of a tool, in the order in which they are written.
const FIELDS: [&str; 19] = [
    "path",
    "description",
    "version",
    "mode",
    "idempotent",
    "idempotency_key_required",
    "idempotency",
    "retry",
    "timeout",
    "rate_limit",
    "concurrency",
    "breaker",
    "confirmation",
    "rollback",
    "reconcile_on_unknown",
    "reconcile",
    "allow",
    "arguments",
    "output",
];

/// Reads a tool: its entry, and what breaks a rule in it.
pub(super) fn read(name: &Name, node: &Node) -> (Entry, Vec<Finding<Position>>) {
    let mut reader = Reader::new(&name.text);
    let fields = reader.entry(name.at, node, &FIELDS);
    let mut draft =
        Draft::new(Surface::Contract, name.at, Located::new(name.text.clone(), name.at));
    identity(&mut reader, &fields, &mut draft);
    repetition(&mut reader, &fields, &mut draft);
    safeguards(&mut reader, &fields, &mut draft);
    let arguments = argument::read(&mut reader, &fields);
    draft.arguments.clone_from(&arguments.drafts);
    let schemas = Schemas {
        output: argument::output_schema(&mut reader, &fields),
        arguments: arguments.schema.clone(),
    };
    let contract =
        judge(&mut reader, &fields, &draft).map(|contract| arguments.fold_into(contract));
    (Entry { draft, contract, schemas, stated: reader.stated }, reader.findings)
}

/// Asks the rulebook, unless there is nothing that it could be asked about.
fn judge(
    reader: &mut Reader<'_>,
    fields: &Group<'_>,
    draft: &Draft<Position>,
) -> Option<crate::policy::Contract> {
    if matches!(fields.itself, Field::Refused) {
        return None;
    }
    let readable = reader.findings.is_empty();
    let checked = check(draft);
    reader.findings.extend(checked.findings);
    // What was read with a finding is not what was meant.
    checked.contract.filter(|_| readable)
}

fn identity(reader: &mut Reader<'_>, fields: &Group<'_>, draft: &mut Draft<Position>) {
    draft.path = plain(&reader.text(fields, "path", "shop::payments::charge_card"));
    draft.description =
        plain(&reader.text(fields, "description", "What it does, for the model that chooses it."));
    draft.version = reader.count(fields, "version");
    draft.side_effect = reader.text(fields, "mode", "write");
    if let Field::Given { value, .. } = reader.words(fields, "allow") {
        draft.allow = value.value;
    }
}

fn plain(field: &Field<String, Position>) -> String {
    field.given().map_or_else(String::new, |text| text.value.clone())
}

fn repetition(reader: &mut Reader<'_>, fields: &Group<'_>, draft: &mut Draft<Position>) {
    let known = ["by", "key", "ttl", "sliding", "remint", "in_flight"];
    let group = reader.group(fields, "idempotency", &known);
    let by = reader.text(&group, "by", "ledger");
    let key = reader.text(&group, "key", "\"{order_id}\"");
    draft.idempotent = claim(reader, fields, by, key);
    draft.key_required = reader.flag(fields, "idempotency_key_required");
    let ttl =
        TtlDraft { window: reader.span(&group, "ttl"), sliding: reader.flag(&group, "sliding") };
    draft.ttl = if ttl.window.is_absent() && ttl.sliding.is_absent() {
        Field::Absent
    } else {
        group.wrap(ttl)
    };
    draft.remint = reader.text(&group, "remint", "warn");
    draft.in_flight = reader.text(&group, "in_flight", "wait");
    draft.retry = retry(reader, fields);
    draft.timeout = reader.span(fields, "timeout");
}

/// `idempotent`, and how. That somebody says how does not say that it is.
fn claim(
    reader: &mut Reader<'_>,
    fields: &Group<'_>,
    by: Field<String, Position>,
    key: Field<String, Position>,
) -> Field<IdempotentDraft<Position>, Position> {
    let claimed = reader.flag(fields, "idempotent");
    if let (Field::Absent, Some(at)) = (&claimed, by.key().or(key.key())) {
        let message = "`idempotency` says how it is idempotent, and nothing says that it is";
        reader.wrong(*at, message, "write `idempotent: true` beside it");
        return Field::Refused;
    }
    map(claimed, |claimed| IdempotentDraft { claimed, by, key })
}

fn retry(reader: &mut Reader<'_>, fields: &Group<'_>) -> Field<RetryDraft<Position>, Position> {
    let known =
        ["max_attempts", "max_total", "backoff", "base", "cap", "jitter", "budget", "retry_on"];
    let group = reader.group(fields, "retry", &known);
    let retry = RetryDraft {
        max: reader.count(&group, "max_attempts"),
        max_total: reader.count(&group, "max_total"),
        on: reader.words(&group, "retry_on"),
        backoff: reader.text(&group, "backoff", "exponential"),
        base: reader.span(&group, "base"),
        cap: reader.span(&group, "cap"),
        jitter: reader.text(&group, "jitter", "full"),
        budget: reader.span(&group, "budget"),
    };
    group.wrap(retry)
}

fn safeguards(reader: &mut Reader<'_>, fields: &Group<'_>, draft: &mut Draft<Position>) {
    draft.rate_limit = limit::read(reader, fields);
    draft.concurrency = limit::read_concurrency(reader, fields);
    let group = reader.group(fields, "breaker", &["failures", "cooldown"]);
    let breaker = BreakerDraft {
        failures: reader.count(&group, "failures"),
        cooldown: reader.span(&group, "cooldown"),
    };
    draft.breaker = group.wrap(breaker);
    let group = reader.group(fields, "confirmation", &["by", "ttl", "quorum"]);
    let confirm = ConfirmDraft {
        by: reader.text(&group, "by", "human"),
        ttl: reader.span(&group, "ttl"),
        quorum: reader.count(&group, "quorum"),
    };
    draft.confirm = group.wrap(confirm);
    draft.rollback = rollback(reader, fields);
    draft.reconcile_on_unknown = reader.flag(fields, "reconcile_on_unknown");
    let group = reader.group(fields, "reconcile", &["with", "settle"]);
    let reconcile = ReconcileDraft {
        with: reader.text(&group, "with", "find_charge"),
        settle: reader.span(&group, "settle"),
    };
    draft.reconcile = group.wrap(reconcile);
}

fn rollback(reader: &mut Reader<'_>, fields: &Group<'_>) -> Field<RollbackDraft, Position> {
    if let Field::Given { value, .. } = fields.slot("rollback")
        && let Kind::Text(text) = &value.value.kind
        && !STRATEGIES.contains(&text.as_str())
        && suggest::likely(text, STRATEGIES).is_none()
    {
        let help = format!("write `rollback: {{ {} }}`", calling(text));
        reader.wrong_kind("rollback", value.value, "a map of fields", &help);
        return Field::Refused;
    }
    let group = reader.group(fields, "rollback", &["strategy", "with"]);
    let strategy = reader.text(&group, "strategy", "manual_only");
    let with = reader.text(&group, "with", "refund_card");
    let at = match (&group.itself, &strategy) {
        (Field::Given { .. }, Field::Given { value, .. }) => value.at,
        (Field::Given { key, .. }, Field::Absent) => {
            let help = format!("write `strategy: ..` with one of {}", listed(&STRATEGIES));
            reader.wrong(*key, "`rollback` has no `strategy`", help);
            return Field::Refused;
        }
        (Field::Absent, _) => return Field::Absent,
        _ => return Field::Refused,
    };
    let strategy = strategy.given().map_or("", |strategy| strategy.value.as_str());
    boundary(reader, strategy, at, &with).map_or(Field::Refused, |boundary| group.wrap(boundary))
}

const STRATEGIES: [&str; 3] = ["none", "manual_only", "compensate"];

/// How the function is named that undoes it.
fn calling(function: &str) -> String {
    format!("strategy: compensate, with: {function}")
}

fn boundary(
    reader: &mut Reader<'_>,
    strategy: &str,
    at: Position,
    with: &Field<String, Position>,
) -> Option<RollbackDraft> {
    let boundary = match (strategy, with) {
        ("compensate", Field::Given { value, .. }) => {
            return Some(RollbackDraft::Compensate(value.value.clone()));
        }
        ("compensate", Field::Refused) => return None,
        ("compensate", Field::Absent) => {
            let message = "`strategy: compensate` names no function";
            reader.report(Code::UNFIT_FUNCTION, at, message, "name it: `with: refund_card`");
            return None;
        }
        ("none", _) => RollbackDraft::None,
        ("manual_only", _) => RollbackDraft::ManualOnly,
        (unknown, _) => {
            let help = suggest::likely(unknown, STRATEGIES).map_or_else(
                || {
                    format!(
                        "it is one of {}; a function is named as in `{}`",
                        listed(&STRATEGIES),
                        calling(unknown)
                    )
                },
                |meant| format!("did you mean `{meant}`?"),
            );
            reader.wrong(at, &format!("`{unknown}` is no rollback strategy"), help);
            return None;
        }
    };
    if let Field::Given { key, .. } = with {
        let message =
            format!("`rollback.with` names a function, but `strategy: {strategy}` calls none");
        reader.wrong(*key, &message, "write `strategy: compensate`, or leave `with` out");
        return None;
    }
    Some(boundary)
}

fn map<T, U>(field: Field<T, Position>, change: impl FnOnce(T) -> U) -> Field<U, Position> {
    match field {
        Field::Absent => Field::Absent,
        Field::Refused => Field::Refused,
        Field::Given { key, value } => {
            Field::Given { key, value: Located::new(change(value.value), value.at) }
        }
    }
}
