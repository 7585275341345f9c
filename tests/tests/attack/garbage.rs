//! Requests that are garbage.

use proptest::prelude::*;
use serde_json::{Value, json};
use tool_contract::Status;
use tool_contract::ledger::{MemoryLedger, Query};

use crate::stage::{block_on, effects, on};

#[tokio::test]
async fn strange_requests_are_refused_and_run_nothing() {
    let runtime = on(MemoryLedger::new());
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let tree = |depth: usize| "{\"node\":[".repeat(depth) + "\"leaf\"" + &"]}".repeat(depth);
    let swallow = |arguments: String| {
        format!(r#"{{"tool":"swallow","arguments":{arguments},"meta":{{"idempotency_key":"k"}}}}"#)
    };
    let requests = [
        String::new(),
        "null".into(),
        "\u{0}".into(),
        nested(400_000),
        "[".repeat(900_000),
        "{\"tool\":".repeat(100_000),
        format!(r#"{{"tool":"{}","arguments":{{}}}}"#, "x".repeat(1_000_000)),
        r#"{"tool":"charge","tool":"charge","arguments":{}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never","order":"never"},"meta":{"idempotency_key":"k"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"\ud800"},"meta":{"idempotency_key":"k"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"a\u0000b"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":""}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","tenant":"a b"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","deadline_ms":18446744073709551616}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","deadline_ms":0}}"#.into(),
        format!(r#"{{"tool":"charge","arguments":{{"order":"never"}},"meta":{{"idempotency_key":"{}"}}}}"#, "k".repeat(256)),
        swallow(nested(300_000)),
        swallow(format!(r#"{{"value":{}}}"#, nested(300_000))),
        swallow(format!(r#"{{"value":{}}}"#, nested(127))),
        swallow(format!(r#"{{"value":0,"tree":{}}}"#, tree(60_000))),
        swallow(r#"{"value":1e999}"#.into()),
        swallow(r#"{"value":0,"number":1e999}"#.into()),
        swallow(format!(r#"{{"value":0,{}"x":0}}"#, r#""y":0,"#.repeat(100_000))),
    ];
    for request in &requests {
        let response = runtime.dispatch_json(request.as_bytes()).await;
        let start: String = request.chars().take(100).collect();
        assert_eq!(response.status, Status::Refused, "{start}: {:?}", response.message);
        assert!(response.code.is_some(), "{start}");
        serde_json::to_string(&response).unwrap();
    }
    assert_eq!(effects("never"), 0);
    assert_eq!(runtime.ledger().unwrap().list(Query::default()).await.unwrap(), []);
}

#[tokio::test]
async fn numbers_that_floats_would_merge_are_apart() {
    let runtime = on(MemoryLedger::new());
    let mut hashes = Vec::new();
    for value in [
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551617",
        "\"\\u0000\"",
        "0",
        "null",
        "[0]",
    ] {
        let request = format!(
            r#"{{"tool":"swallow","arguments":{{"value":{value}}},"meta":{{"idempotency_key":"k"}}}}"#
        );
        hashes.push(runtime.dispatch_json(request.as_bytes()).await.operation_hash.unwrap());
    }
    let minus = runtime
        .dispatch_json(
            br#"{"tool":"swallow","arguments":{"value":-0.0},"meta":{"idempotency_key":"k"}}"#,
        )
        .await;
    assert_eq!(minus.operation_hash.unwrap(), hashes[5]);
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

fn garbage() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["charge", "swallow", "delete", "order", "fuzz", "k1"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let names = prop_oneof![
            prop::sample::select(vec![
                "order",
                "value",
                "tree",
                "number",
                "idempotency_key",
                "tenant",
                "approval",
                "node"
            ])
            .prop_map(String::from),
            "\\PC{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let response = block_on(on(MemoryLedger::new()).dispatch_json(&bytes));
        prop_assert_eq!(response.status, Status::Refused);
    }

    #[test]
    fn any_json_is_answered_the_same_way_twice(
        tool in prop::sample::select(vec!["charge", "swallow", "delete", "pay", "nothing"]),
        arguments in garbage(),
        meta in prop_oneof![garbage(), Just(json!({"idempotency_key": "k1"}))],
        cut in any::<prop::sample::Index>(),
    ) {
        let runtime = on(MemoryLedger::new());
        let bytes = serde_json::to_vec(&json!({"tool": tool, "arguments": arguments, "meta": meta})).unwrap();
        let (first, second) = block_on(async {
            (runtime.dispatch_json(&bytes).await, runtime.dispatch_json(&bytes).await)
        });
        prop_assert_eq!(first.status, second.status);
        prop_assert_eq!(second.replayed, second.status == Status::Succeeded);
        let cut = cut.index(bytes.len());
        prop_assert_eq!(block_on(runtime.dispatch_json(&bytes[..cut])).status, Status::Refused);
    }
}
