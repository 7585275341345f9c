//! What is read, and what is said of what cannot be.

use proptest::prelude::*;
use tool_contract_spec::draft::{Field, RollbackDraft};
use tool_contract_spec::policy::{ArgumentRole, Scope};

use super::*;

const FUNCTION: &str =
    "async fn charge_card(cx: &Cx, order_id: String) -> Result<Receipt, Error> { body }";

fn parsed(attribute: &str, item: &str) -> Parsed {
    parse(Kind::Tool, attribute.parse().unwrap(), item.parse().unwrap())
        .unwrap_or_else(|_| panic!("{item} is no function"))
}

/// The codes of what is found, sorted.
fn codes(parsed: &Parsed) -> Vec<u16> {
    let text = parsed.findings.errors().to_string();
    let mut codes = text
        .match_indices("[TC")
        .filter_map(|(at, _)| text.get(at + 3..at + 7)?.parse().ok())
        .collect::<Vec<_>>();
    codes.sort_unstable();
    codes
}

fn text<T: Clone>(field: &Field<T, Place>) -> Option<T> {
    field.given().map(|located| located.value.clone())
}

fn is_refused<T>(field: &Field<T, Place>) -> bool {
    matches!(field, Field::Refused)
}

#[test]
fn the_whole_table_is_read() {
    let parsed = parsed(
        r#"side_effect = "write",
           idempotent(key = "{order_id}", by = "downstream"),
           retry(max = 3, max_total = 9, on = ["network", "rate_limited"], backoff = "constant", base = "1s",
                 cap = "2s", jitter = "none", budget = "3s"),
           timeout = "4s", ttl(window = "5d", sliding), rollback = "refunds::refund", reconcile(with = find, settle = "6s"),
           confirm(by = "human", ttl = "7m", quorum = 8), rate_limit(per_tool = "9/s", per_workflow = 10),
           in_flight = "reject", remint = "replay", state(A, B<C, D>), allow(TC0101, TC0105),
           name = "charge", args = "Charge", version = 11, crate = shop::tool_contract"#,
        FUNCTION,
    );
    assert!(codes(&parsed).is_empty());
    let Draft { idempotent, retry, ttl, rollback, reconcile, confirm, rate_limit, .. } =
        &parsed.draft;
    let (idempotent, retry, ttl) =
        (text(idempotent).unwrap(), text(retry).unwrap(), text(ttl).unwrap());
    assert_eq!(text(&parsed.draft.side_effect).as_deref(), Some("write"));
    assert_eq!(text(&idempotent.key).as_deref(), Some("{order_id}"));
    assert_eq!(text(&idempotent.by).as_deref(), Some("downstream"));
    assert_eq!((text(&retry.max), text(&retry.max_total)), (Some(3), Some(9)));
    let on = text(&retry.on).unwrap().into_iter().map(|word| word.value).collect::<Vec<_>>();
    assert_eq!(on, ["network", "rate_limited"]);
    let spans = [
        &retry.backoff,
        &retry.base,
        &retry.cap,
        &retry.jitter,
        &retry.budget,
        &parsed.draft.timeout,
    ];
    assert_eq!(
        spans.map(|field| text(field).unwrap()),
        ["constant", "1s", "2s", "none", "3s", "4s"]
    );
    assert_eq!((text(&ttl.window).as_deref(), text(&ttl.sliding)), (Some("5d"), Some(true)));
    assert_eq!(text(rollback), Some(RollbackDraft::Compensate("refunds::refund".to_owned())));
    let (reconcile, confirm) = (text(reconcile).unwrap(), text(confirm).unwrap());
    assert_eq!(
        (text(&reconcile.with).as_deref(), text(&reconcile.settle).as_deref()),
        (Some("find"), Some("6s"))
    );
    assert_eq!((text(&confirm.ttl).as_deref(), text(&confirm.quorum)), (Some("7m"), Some(8)));
    let limits = text(rate_limit)
        .unwrap()
        .into_iter()
        .map(|limit| (limit.scope, limit.quota.value))
        .collect::<Vec<_>>();
    assert_eq!(limits, [(Scope::Tool, "9/s".to_owned()), (Scope::Workflow, "10".to_owned())]);
    assert_eq!(parsed.draft.allow.len(), 2);
    assert_eq!(
        (parsed.draft.name.value.as_str(), text(&parsed.draft.version)),
        ("charge", Some(11))
    );
    assert_eq!(
        (parsed.options.state.len(), parsed.type_name().to_string().as_str()),
        (2, "Charge")
    );
    assert!(
        parsed.options.krate.is_some()
            && parsed.options.rollback.is_some()
            && parsed.options.reconcile.is_some()
    );
}

#[test]
fn a_mistake_costs_its_own_entry_alone() {
    let parsed = parsed(
        r#"side_effect = , idempotent, retry(max = , on = "network"), timeout = 5 6, version = 2"#,
        FUNCTION,
    );
    assert_eq!(codes(&parsed), [21, 21, 21]);
    assert!(text(&parsed.draft.idempotent).is_some_and(|idempotent| idempotent.claimed));
    let retry = text(&parsed.draft.retry).unwrap();
    assert!(is_refused(&retry.max));
    assert_eq!(text(&retry.on).map(|on| on.len()), Some(1));
    assert!(is_refused(&parsed.draft.side_effect) && is_refused(&parsed.draft.timeout));
    assert_eq!(text(&parsed.draft.version), Some(2));
}

#[test]
fn a_misspelt_key_is_not_missing_too() {
    let parsed = parsed(r#"side_efect = "read", retry(maxx = 3)"#, FUNCTION);
    assert_eq!(codes(&parsed), [21, 21]);
    assert!(is_refused(&parsed.draft.side_effect));
    assert!(is_refused(&text(&parsed.draft.retry).unwrap().max));
}

#[test]
fn the_function_is_described() {
    let parsed = parsed(
        "",
        "/// Charges.\n///\n/// Once.\nasync fn r#match(_cx: &tool::Cx, #[arg(ignore)] memo: Option<String>, \
         #[arg(secret)] r#type: Vec<f32>, mut n: u64) -> Result<(), Error> { }",
    );
    assert!(codes(&parsed).is_empty());
    assert_eq!(parsed.draft.description, "Charges.\n\nOnce.");
    assert_eq!(
        (parsed.draft.name.value.as_str(), parsed.type_name().to_string().as_str()),
        ("match", "Match")
    );
    assert_eq!(parsed.draft.takes_cx, Some(true));
    let arguments = parsed.draft.arguments.unwrap().into_iter();
    let arguments = arguments
        .map(|argument| (argument.name.value, argument.role, argument.is_text, argument.has_float))
        .collect::<Vec<_>>();
    assert_eq!(
        arguments,
        [
            ("memo".to_owned(), ArgumentRole::Ignored, true, false),
            ("type".to_owned(), ArgumentRole::Secret, false, true),
            ("n".to_owned(), ArgumentRole::Hashed, false, false),
        ]
    );
}

#[test]
fn an_unfit_function_is_not_judged_twice() {
    let parsed = parsed("", "fn f(a: &str) -> Result<(), Error> { }");
    assert_eq!(codes(&parsed), [22]);
    assert!(parsed.draft.arguments.is_none() && parsed.draft.takes_cx.is_none());
}

#[test]
fn the_body_is_never_read() {
    let parsed = parsed("", "fn f() -> Result<(), Error> { let = ; ?? fn }");
    assert_eq!(
        parsed.function.body.map(|body| body.to_string()).as_deref(),
        Some("{ let = ; ?? fn }")
    );
}

/// A mistake in every place that one can think of, and in some others.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "side_effect",
        "retry",
        "idempotent",
        "rollback",
        "state",
        "max",
        "on",
        "=",
        ",",
        "\"read\"",
        "\"a b\"",
        "3",
        "-",
        "false",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "::",
        "<",
        ">",
        "crate",
        "'a",
        "r#match",
        "&",
        "#",
        "1.5",
        "b\"x\"",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24)
        .prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn every_attribute_is_answered(attribute in soup()) {
        if let Ok(attribute) = attribute.parse() {
            let parsed = parse(Kind::Tool, attribute, FUNCTION.parse().unwrap());
            prop_assert!(parsed.is_ok());
        }
    }

    #[test]
    fn every_item_is_answered(item in soup()) {
        if let Ok(item) = format!("fn {item}").parse() {
            let _ = parse(Kind::Tool, TokenStream::new(), item);
        }
    }
}
