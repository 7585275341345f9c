//! What differs between code and file, and where it is said to.

use tool_contract_spec::document::{
    AttributeKey, Difference, Emitted, FieldName, Position, compare, compare_schemas, disagreement,
    only_in_code, only_in_file,
};
use tool_contract_spec::policy::{Contract, Policy, Quota, Scope};
use tool_contract_spec::rulebook::Code;

use crate::samples::{FULL, full, only};

/// The differences between [`full`] and [`FULL`] with one text replaced.
fn differences(from: &str, to: &str) -> Vec<(FieldName, String, String)> {
    assert!(FULL.contains(from), "{from}");
    let differences = compare(&full(), &only(&FULL.replacen(from, to, 1)));
    differences.into_iter().map(|Difference { field, code, file }| (field, code, file)).collect()
}

#[test]
fn the_same_contract_differs_in_nothing() {
    assert_eq!(compare(&full(), &only(FULL)), []);
}

#[test]
fn every_field_is_compared() {
    for (from, to, field, code, file) in [
        (
            "order.\n",
            "order, twice.\n",
            FieldName::Description,
            "\"Charge the card on file for an order.\"",
            "\"Charge the card on file for an order, twice.\"",
        ),
        ("version: 2", "version: 3", FieldName::Version, "2", "3"),
        ("by: downstream", "by: nature", FieldName::DedupedBy, "downstream", "nature"),
        ("{order_id}", "x{order_id}", FieldName::Key, "\"{order_id}\"", "\"x{order_id}\""),
        ("ttl: 30d", "ttl: 720h", FieldName::Ttl, "", ""),
        ("ttl: 30d", "ttl: 40d", FieldName::Ttl, "30d", "40d"),
        ("sliding: true", "sliding: false", FieldName::Sliding, "true", "false"),
        ("remint: reject", "remint: warn", FieldName::Remint, "reject", "warn"),
        ("in_flight: reject", "in_flight: wait", FieldName::InFlight, "reject", "wait"),
        ("max_attempts: 3", "max_attempts: 4", FieldName::MaxAttempts, "3", "4"),
        ("max_total: 12", "max_total: 13", FieldName::MaxTotal, "12", "13"),
        (
            "backoff: constant",
            "backoff: exponential",
            FieldName::Backoff,
            "constant",
            "exponential",
        ),
        ("base: 100ms", "base: 1s", FieldName::Base, "100ms", "1s"),
        ("cap: 5s", "cap: 6s", FieldName::Cap, "5s", "6s"),
        ("jitter: none", "jitter: full", FieldName::Jitter, "none", "full"),
        ("budget: 60s, ", "", FieldName::Budget, "1m", "absent"),
        (
            "[rate_limited, ",
            "[rate_limited, network, ",
            FieldName::RetryOn,
            "[rate_limited, side_effect_unknown]",
            "[network, rate_limited, side_effect_unknown]",
        ),
        ("timeout: 20s", "timeout: 21s", FieldName::Timeout, "20s", "21s"),
        (
            "minute: 20",
            "minute: 21",
            FieldName::RateLimit(Scope::Tenant),
            "20 per minute",
            "21 per minute",
        ),
        (", per_workflow: 50", "", FieldName::RateLimit(Scope::Workflow), "50", "absent"),
        ("per_user: 1", "per_user: 2", FieldName::Concurrency(Scope::User), "1", "2"),
        ("failures: 3", "failures: 4", FieldName::BreakerFailures, "3", "4"),
        ("cooldown: 60s", "cooldown: 61s", FieldName::BreakerCooldown, "1m", "61s"),
        ("ttl: 10m", "ttl: 11m", FieldName::ConfirmationTtl, "10m", "11m"),
        ("quorum: 2", "quorum: 3", FieldName::Quorum, "2", "3"),
        (
            "strategy: compensate, with: refund_card",
            "strategy: none",
            FieldName::RollbackStrategy,
            "compensate",
            "none",
        ),
        ("with: refund_card", "with: refund", FieldName::RollbackWith, "refund_card", "refund"),
        ("with: find_charge", "with: find", FieldName::ReconcileWith, "find_charge", "find"),
        ("settle: 5s", "settle: 6s", FieldName::Settle, "5s", "6s"),
        ("allow: [TC0105]", "allow: []", FieldName::Allow, "[TC0105]", "[]"),
        ("ignored: [memo]", "ignored: []", FieldName::Ignored, "[memo]", "[]"),
        (
            "idempotency_key_required: false",
            "idempotency_key_required: true",
            FieldName::KeyRequired,
            "false",
            "true",
        ),
    ] {
        let expected =
            if code.is_empty() { vec![] } else { vec![(field, code.to_owned(), file.to_owned())] };
        assert_eq!(differences(from, to), expected, "{to}");
    }
}

#[test]
fn that_nobody_finds_out_is_said_by_no_code() {
    // Beside a function it contradicts itself, and says so by a finding.
    let without = "    reconcile: { with: find_charge, settle: 5s }\n";
    assert!(FULL.contains(without));
    let file = FULL.replacen(without, "", 1);
    let asked = |file: &str, on_unknown: &str| {
        let file = file.replacen("reconcile_on_unknown: true", on_unknown, 1);
        let mut code = full();
        code.policy.reconcile = None;
        let differences = compare(&code, &only(&file));
        differences.into_iter().map(|it| (it.field, it.code, it.file)).collect::<Vec<_>>()
    };
    let differs = (FieldName::ReconcileOnUnknown, "true".to_owned(), "false".to_owned());
    assert_eq!(asked(&file, "reconcile_on_unknown: false"), [differs]);
    assert_eq!(asked(&file, "reconcile_on_unknown: true"), []);
    assert_eq!(asked(&file, ""), [], "what is not said is not compared");

    // Where the code has a function that the file lacks, that is the difference.
    let file = file.replacen("reconcile_on_unknown: true", "reconcile_on_unknown: false", 1);
    let fields: Vec<_> = compare(&full(), &only(&file)).into_iter().map(|it| it.field).collect();
    assert_eq!(fields, [FieldName::ReconcileWith]);
}

#[test]
fn what_a_file_leaves_out_counts_as_its_default_or_is_not_compared() {
    let file = only("tools: { charge_card: { mode: read } }");
    let usual = file.contract.clone().expect("a contract");
    let code = Contract {
        path: "shop::charge_card".into(),
        description: "Charge.".into(),
        arguments: full().arguments,
        ..usual.clone()
    };
    assert_eq!(compare(&code, &file), []);
    let retry = tool_contract_spec::policy::Retry { max: 2, ..usual.policy.retry.clone() };
    let code = Contract { policy: Policy { retry, ..usual.policy }, ..code };
    let fields: Vec<FieldName> =
        compare(&code, &file).into_iter().map(|difference| difference.field).collect();
    assert_eq!(fields, [FieldName::MaxAttempts]);
}

#[test]
fn a_folded_description_is_the_same_description() {
    let folded = FULL.replace(
        "Charge the card on file for an order.",
        ">-\n      Charge the card\n      on file for an order.",
    );
    assert_eq!(compare(&full(), &only(&folded)), []);
}

#[test]
fn a_broken_entry_is_not_compared() {
    let text = FULL.replace("timeout: 20s", "timeout: 0s");
    let document = tool_contract_spec::document::read(&text).expect("readable");
    assert_eq!(document.entries[0].contract, None);
    assert_eq!(compare(&full(), &document.entries[0]), []);
}

#[test]
fn a_difference_is_said_at_its_place() {
    let file = only(&FULL.replace("max_attempts: 3", "max_attempts: 4"));
    let difference = &compare(&full(), &file)[0];
    assert_eq!(difference.field.as_str(), "retry.max_attempts");
    assert_eq!(
        difference.field.attribute_key(),
        Some(AttributeKey { key: "retry", inner: Some("max") })
    );
    let finding = disagreement(file.name(), difference, file.place_of(difference.field));
    assert_eq!(
        (finding.code, finding.at),
        (Code::CONTRACT_DIFFERS, Position { line: 11, column: 14 })
    );
    assert_eq!(
        finding.message,
        "`charge_card`: `retry.max_attempts` is 3 in the code and 4 in the contract file"
    );
}

#[test]
fn the_place_of_what_is_absent_is_what_encloses_it() {
    let file = only(
        "tools:\n  t:\n    mode: read\n    retry: { max_attempts: 1, retry_on: [] }\n    rate_limit: { per_tenant_per_day: 3 }\n",
    );
    let at = |field| file.place_of(field).to_string();
    assert_eq!(at(FieldName::Budget), "4:5");
    assert_eq!(at(FieldName::MaxAttempts), "4:14");
    assert_eq!(at(FieldName::Timeout), "2:3");
    assert_eq!(at(FieldName::RateLimit(Scope::Tool)), "5:5");
    assert_eq!(at(FieldName::RateLimit(Scope::Tenant)), "5:19");
}

#[test]
fn a_tool_on_one_side_only_is_named() {
    assert!(only_in_code("t", ()).message.contains("the contract file has no tool `t`"));
    assert!(only_in_file("t", ()).message.contains("the code has no tool `t`"));
}

#[test]
fn schemas_and_paths_are_compared_where_they_are_stated() {
    let file = only(FULL);
    let same = Emitted {
        contract: full(),
        arguments_schema: file.schemas.arguments.clone().expect("a schema"),
        output_schema: file.schemas.output.clone().expect("a schema"),
    };
    assert_eq!(compare_schemas(&same, &file), []);

    let mut other = same.clone();
    other.contract.path = "shop::charge_card".into();
    other.arguments_schema["properties"]["memo"]["type"] = "integer".into();
    other.output_schema = true.into();
    let differences: Vec<(FieldName, String, String)> =
        compare_schemas(&other, &file).into_iter().map(|it| (it.field, it.code, it.file)).collect();
    let expected = [
        (FieldName::Path, "shop::charge_card", "shop::payments::charge_card"),
        (FieldName::ArgumentsSchema, "\"integer\" at `/properties/memo/type`", "\"string\" there"),
        (FieldName::OutputSchema, "true at `/`", "{\"type\":\"string\"} there"),
    ];
    assert_eq!(
        differences,
        expected.map(|(field, code, file)| (field, code.to_owned(), file.to_owned()))
    );

    let silent = only("tools: { charge_card: { mode: read } }");
    assert_eq!(compare_schemas(&other, &silent), []);
}

#[test]
fn another_quota_is_another_limit() {
    let mut code = full();
    code.policy.limits.to_mut()[2].quota = Quota::Count(51);
    assert_eq!(compare(&code, &only(FULL))[0].field, FieldName::RateLimit(Scope::Workflow));
}

#[test]
fn the_order_of_what_is_required_says_nothing() {
    let text =
        "tools: { t: { mode: read, arguments: { schema: { required: [a, b], enum: [a, b] } } } }";
    let file = only(text);
    let emitted = |schema| Emitted {
        contract: file.contract.clone().expect("a contract"),
        arguments_schema: schema,
        output_schema: true.into(),
    };
    let differs = |schema| !compare_schemas(&emitted(schema), &file).is_empty();
    assert!(!differs(serde_json::json!({ "required": ["b", "a"], "enum": ["a", "b"] })));
    assert!(differs(serde_json::json!({ "required": ["a", "b"], "enum": ["b", "a"] })));
    assert!(differs(serde_json::json!({ "required": ["a", "c"], "enum": ["a", "b"] })));
    assert!(differs(serde_json::json!({ "required": ["a"], "enum": ["a", "b"] })));
}
