//! Drafts for tests: ones that break no rule, to be spoilt one by one.

use proptest::prelude::*;
use proptest::sample::select;

use super::check;
use crate::draft::{
    ArgumentDraft, ConfirmDraft, Draft, Field, IdempotentDraft, LimitDraft, Located,
    ReconcileDraft, RetryDraft, RollbackDraft, Surface, TtlDraft,
};
use crate::policy::{ArgumentRole, Scope};
use crate::rulebook::Code;

/// Where something stands, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The attribute's name, or the tool's name in a file.
    Tool,
    /// The function's name.
    Name,
    /// The name of a key.
    Key(&'static str),
    /// The value of a key.
    Value(&'static str),
    /// A word of a list, an argument, a limit.
    Item(usize),
}

pub(super) type Sketch = Draft<At>;

pub(super) const BOTH: [Surface; 2] = [Surface::Attribute, Surface::Contract];

/// The codes and places of what a draft breaks.
pub(super) fn found(draft: &Sketch) -> Vec<(Code, At)> {
    check(draft).findings.into_iter().map(|finding| (finding.code, finding.at)).collect()
}

/// The place of what is absent, in a draft that says its side effect.
pub(super) fn absence(surface: Surface) -> At {
    match surface {
        Surface::Attribute => At::Value("side_effect"),
        Surface::Contract => At::Tool,
    }
}

pub(super) fn given<T>(name: &'static str, value: T) -> Field<T, At> {
    Field::Given { key: At::Key(name), value: Located::new(value, At::Value(name)) }
}

pub(super) fn word(name: &'static str, word: &str) -> Field<String, At> {
    given(name, word.to_owned())
}

/// A tool of which nothing is said but what it is called and what it is for.
pub(super) fn bare(surface: Surface) -> Sketch {
    let mut draft = Draft::new(surface, At::Tool, Located::new("charge_card".to_owned(), At::Name));
    draft.description = "Charge the card on file for an order.".to_owned();
    draft
}

/// A read that breaks no rule.
pub(super) fn read(surface: Surface) -> Sketch {
    Draft { side_effect: word("side_effect", "read"), ..bare(surface) }
}

/// A write that breaks no rule.
pub(super) fn write(surface: Surface) -> Sketch {
    Draft {
        side_effect: word("side_effect", "write"),
        idempotent: idempotent(),
        key_required: if surface == Surface::Contract {
            given("key_required", true)
        } else {
            Field::Absent
        },
        rollback: given("rollback", RollbackDraft::Compensate("refund".to_owned())),
        rate_limit: given("rate_limit", vec![limit(0, Scope::Tenant, "20/min")]),
        ..bare(surface)
    }
}

/// A destructive tool that breaks no rule.
pub(super) fn destructive(surface: Surface) -> Sketch {
    Draft { side_effect: word("side_effect", "destructive"), confirm: confirm(), ..write(surface) }
}

pub(super) fn idempotent() -> Field<IdempotentDraft<At>, At> {
    given("idempotent", IdempotentDraft { claimed: true, by: Field::Absent, key: Field::Absent })
}

pub(super) fn never() -> Field<IdempotentDraft<At>, At> {
    given("idempotent", IdempotentDraft { claimed: false, by: Field::Absent, key: Field::Absent })
}

pub(super) fn by(who: &str) -> Field<IdempotentDraft<At>, At> {
    given("idempotent", IdempotentDraft { claimed: true, by: word("by", who), key: Field::Absent })
}

pub(super) fn keyed(template: &str) -> Field<IdempotentDraft<At>, At> {
    given(
        "idempotent",
        IdempotentDraft { claimed: true, by: Field::Absent, key: word("key", template) },
    )
}

/// A retry matrix that breaks no rule of its own.
pub(super) fn retry(max: u64, on: &[&str]) -> Field<RetryDraft<At>, At> {
    let on = on
        .iter()
        .enumerate()
        .map(|(at, word)| Located::new((*word).to_owned(), At::Item(at)))
        .collect();
    given(
        "retry",
        RetryDraft {
            max: given("max", max),
            max_total: Field::Absent,
            on: given("on", on),
            backoff: Field::Absent,
            base: Field::Absent,
            cap: Field::Absent,
            jitter: Field::Absent,
            budget: word("budget", "90s"),
        },
    )
}

/// `field` with its value changed.
pub(super) fn but<T>(mut field: Field<T, At>, change: impl FnOnce(&mut T)) -> Field<T, At> {
    if let Field::Given { value, .. } = &mut field {
        change(&mut value.value);
    }
    field
}

pub(super) fn ttl(window: &str) -> Field<TtlDraft<At>, At> {
    given("ttl", TtlDraft { window: word("window", window), sliding: Field::Absent })
}

pub(super) fn reconcile() -> Field<ReconcileDraft<At>, At> {
    given("reconcile", ReconcileDraft { with: word("with", "find_charge"), settle: Field::Absent })
}

pub(super) fn confirm() -> Field<ConfirmDraft<At>, At> {
    given(
        "confirm",
        ConfirmDraft { by: word("by", "human"), ttl: Field::Absent, quorum: Field::Absent },
    )
}

pub(super) fn limit(at: usize, scope: Scope, quota: &str) -> LimitDraft<At> {
    LimitDraft { scope, quota: Located::new(quota.to_owned(), At::Item(at)) }
}

/// Text arguments with these names and roles.
pub(super) fn arguments(arguments: &[(&str, ArgumentRole)]) -> Vec<ArgumentDraft<At>> {
    let draft = |(at, (name, role)): (usize, &(&str, ArgumentRole))| ArgumentDraft {
        name: Located::new((*name).to_owned(), At::Item(at)),
        role: *role,
        is_text: true,
        has_float: false,
    };
    arguments.iter().enumerate().map(draft).collect()
}

/// A draft that breaks no rule, with some keys exchanged for absent or refused
/// ones, or for values that may or may not fit.
pub(super) fn any_draft() -> impl Strategy<Value = Sketch> {
    let whole =
        BOTH.iter().flat_map(|surface| [read(*surface), write(*surface), destructive(*surface)]);
    let whole = select(whole.collect::<Vec<_>>());
    let what = (
        perhaps(any_word("side_effect", &["read", "write", "destructive", "GET"])),
        perhaps(any_idempotent()),
        perhaps(any_flag("key_required")),
        perhaps(any_retry()),
        perhaps(any_word("timeout", &["30s", "0s", "1d", "soon"])),
        perhaps(any_ttl()),
        perhaps(any_rollback()),
        perhaps(any_reconcile()),
        perhaps(any_flag("reconcile_on_unknown")),
        perhaps(any_confirm()),
        perhaps(any_limits()),
        perhaps(any_concurrency()),
    );
    let rest = (
        perhaps(any_word("in_flight", &["wait", "reject", "panic"])),
        perhaps(any_word("remint", &["warn", "reject", "replay", ""])),
        perhaps(any_number("version")),
        perhaps(any_allow()),
        prop::option::of(any_arguments()),
        prop::option::of(any::<bool>()),
        select(vec!["", "Charge the card."]),
    );
    (whole, what, rest).prop_map(|(whole, what, rest)| Draft {
        side_effect: what.0.unwrap_or(whole.side_effect),
        idempotent: what.1.unwrap_or(whole.idempotent),
        key_required: what.2.unwrap_or(whole.key_required),
        retry: what.3.unwrap_or(whole.retry),
        timeout: what.4.unwrap_or(whole.timeout),
        ttl: what.5.unwrap_or(whole.ttl),
        rollback: what.6.unwrap_or(whole.rollback),
        reconcile: what.7.unwrap_or(whole.reconcile),
        reconcile_on_unknown: what.8.unwrap_or(whole.reconcile_on_unknown),
        confirm: what.9.unwrap_or(whole.confirm),
        rate_limit: what.10.unwrap_or(whole.rate_limit),
        concurrency: what.11.unwrap_or(whole.concurrency),
        in_flight: rest.0.unwrap_or(whole.in_flight),
        remint: rest.1.unwrap_or(whole.remint),
        version: rest.2.unwrap_or(whole.version),
        allow: rest.3.unwrap_or(whole.allow),
        arguments: rest.4,
        takes_cx: rest.5,
        description: rest.6.to_owned(),
        ..bare(whole.surface)
    })
}

/// Something now and then, so that whole contracts come out too.
fn perhaps<T: Strategy>(strategy: T) -> impl Strategy<Value = Option<T::Value>> {
    prop::option::weighted(0.2, strategy)
}

fn any_field<T: std::fmt::Debug + Clone>(
    name: &'static str,
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Field<T, At>> {
    (0..20_u8, value).prop_map(move |(state, value)| match state {
        0 => Field::Refused,
        1..=8 => Field::Absent,
        _ => given(name, value),
    })
}

fn any_word(
    name: &'static str,
    words: &[&'static str],
) -> impl Strategy<Value = Field<String, At>> {
    any_field(name, select(words.to_vec()).prop_map(str::to_owned))
}

fn any_number(name: &'static str) -> impl Strategy<Value = Field<u64, At>> {
    any_field(name, prop_oneof![8 => 1..6_u64, 1 => 0..30_u64, 1 => Just(u64::MAX)])
}

fn any_flag(name: &'static str) -> impl Strategy<Value = Field<bool, At>> {
    any_field(name, any::<bool>())
}

fn any_idempotent() -> impl Strategy<Value = Field<IdempotentDraft<At>, At>> {
    let by = any_word("by", &["ledger", "downstream", "nature", "magic"]);
    let key = any_word("key", &["{order_id}", "{memo}", "{", "constant", "{order_id}/{memo}"]);
    let draft = (any::<bool>(), by, key).prop_map(|(claimed, by, key)| IdempotentDraft {
        claimed,
        by,
        key,
    });
    any_field("idempotent", draft)
}

const SPANS: [&str; 6] = ["200ms", "30s", "90s", "1d", "0s", "90"];

fn any_retry() -> impl Strategy<Value = Field<RetryDraft<At>, At>> {
    let classes =
        select(vec!["retryable", "network", "other", "side_effect_unknown", "success", "nonsense"]);
    let on = prop::collection::vec(classes, 0..3);
    let on = on.prop_map(|words| {
        words.into_iter().map(|word| Located::new(word.to_owned(), At::Item(0))).collect()
    });
    let draft = (
        any_number("max"),
        any_number("max_total"),
        any_field("on", on),
        any_word("backoff", &["exponential", "constant", "linear"]),
        (any_word("base", &SPANS), any_word("cap", &SPANS), any_word("budget", &SPANS)),
        any_word("jitter", &["full", "none", "some"]),
    );
    let draft = draft.prop_map(|(max, max_total, on, backoff, (base, cap, budget), jitter)| {
        RetryDraft { max, max_total, on, backoff, base, cap, jitter, budget }
    });
    any_field("retry", draft)
}

fn any_ttl() -> impl Strategy<Value = Field<TtlDraft<At>, At>> {
    let draft = (any_word("window", &["24h", "1s", "0s", "36501d"]), any_flag("sliding"));
    any_field("ttl", draft.prop_map(|(window, sliding)| TtlDraft { window, sliding }))
}

fn any_rollback() -> impl Strategy<Value = Field<RollbackDraft, At>> {
    let compensate = |path: &str| RollbackDraft::Compensate(path.to_owned());
    let drafts =
        vec![RollbackDraft::None, RollbackDraft::ManualOnly, compensate("refund"), compensate("")];
    any_field("rollback", select(drafts))
}

fn any_allow() -> impl Strategy<Value = Vec<Located<String, At>>> {
    let codes = select(vec!["TC0104", "TC0105", "TC0004", "TC9999", "x"]);
    prop::collection::vec(codes.prop_map(|code| Located::new(code.to_owned(), At::Item(0))), 0..2)
}

fn any_reconcile() -> impl Strategy<Value = Field<ReconcileDraft<At>, At>> {
    let draft = (any_word("with", &["find", "  "]), any_word("settle", &["10s", "0s"]));
    any_field("reconcile", draft.prop_map(|(with, settle)| ReconcileDraft { with, settle }))
}

fn any_confirm() -> impl Strategy<Value = Field<ConfirmDraft<At>, At>> {
    let draft =
        (any_word("by", &["human", "bot"]), any_word("ttl", &["15m", "2d"]), any_number("quorum"));
    any_field("confirm", draft.prop_map(|(by, ttl, quorum)| ConfirmDraft { by, ttl, quorum }))
}

fn any_limits() -> impl Strategy<Value = Field<Vec<LimitDraft<At>>, At>> {
    let quota = select(vec!["20/min", "5", "0/s", "x/h", "1/fortnight", "/", "99999999999/s"]);
    let limit =
        (select(Scope::ALL.to_vec()), quota).prop_map(|(scope, quota)| limit(0, scope, quota));
    any_field("rate_limit", prop::collection::vec(limit, 0..3))
}

fn any_concurrency() -> impl Strategy<Value = Field<Vec<LimitDraft<At>>, At>> {
    let number = select(vec!["1", "4", "1000", "0", "1001", "x"]);
    let limit =
        (select(Scope::ALL.to_vec()), number).prop_map(|(scope, number)| limit(0, scope, number));
    any_field("concurrency", prop::collection::vec(limit, 0..3))
}

fn any_arguments() -> impl Strategy<Value = Vec<ArgumentDraft<At>>> {
    let names = select(vec!["order_id", "memo", "timestamp", "amount"]);
    let role = select(vec![ArgumentRole::Hashed, ArgumentRole::Ignored, ArgumentRole::Secret]);
    let argument =
        (names, role, any::<bool>(), any::<bool>()).prop_map(|(name, role, is_text, has_float)| {
            ArgumentDraft {
                name: Located::new(name.to_owned(), At::Item(0)),
                role,
                is_text,
                has_float,
            }
        });
    prop::collection::vec(argument, 0..4)
}
