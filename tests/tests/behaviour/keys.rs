//! Where keys come from, and which are none.

use std::collections::HashMap;

use tool_contract::ledger::{Query, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Meta, Request, Status, tool};

use crate::stage::{Ending, Stage};
use crate::tools::{ChargeAnew, charge, charge_anew};
use crate::world::{Act, Trouble, World};

#[tokio::test]
async fn a_malformed_key_is_refused_before_the_ledger_is_asked() {
    let stage = Stage::new();
    stage.ledger.fail(
        tool_contract::testing::Step::Admit,
        tool_contract::testing::Fault::Lost,
        100,
    );
    let long = "k".repeat(256);
    for (key, says) in [
        ("", "empty"),
        ("a b", "' '"),
        ("a\n", "'\\n'"),
        ("schlüssel", "'ü'"),
        (&*long, "256 bytes"),
    ] {
        let rejected =
            charge("o".into(), 1).key(key).call(&stage.runtime).await.refused(Code::KEY_MALFORMED);
        assert!(rejected.reason.contains(says), "{rejected}");
    }
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_key_may_have_255_bytes() {
    let stage = Stage::new();
    let key = "~".repeat(255);
    charge("o".into(), 1).key(&*key).call(&stage.runtime).await.unwrap();
    assert!(charge("o".into(), 1).key(&*key).call(&stage.runtime).await.unwrap().replayed());
}

#[tokio::test]
async fn malformed_names_of_the_caller_are_refused() {
    let stage = Stage::new();
    let call = || charge("o".into(), 1).key("k");
    for rejected in [
        call().tenant("two words").call(&stage.runtime).await.refused(Code::KEY_MALFORMED),
        call().user("").call(&stage.runtime).await.refused(Code::KEY_MALFORMED),
        call().workflow("ü").call(&stage.runtime).await.refused(Code::KEY_MALFORMED),
    ] {
        assert!(rejected.reason.contains("malformed"), "{rejected}");
    }
    assert_eq!(stage.world.attempts(), 0);
}

/// Charge an order under a key that follows from it.
#[tool(side_effect = "write", idempotent(key = "{order}/{line}"), rollback = "none", state(World))]
async fn charge_line(cx: &Cx, order: String, line: u32, cents: u64) -> Result<u32, Trouble> {
    let _ = (line, cents);
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn a_derived_key_follows_from_the_arguments() {
    let stage = Stage::new();
    let first = charge_line("a/b".into(), 7, 100).call(&stage.runtime).await.unwrap();
    assert_eq!(first.key().unwrap().as_str(), "a%2Fb/7");
    assert!(charge_line("a/b".into(), 7, 100).call(&stage.runtime).await.unwrap().replayed());
    assert!(!charge_line("a/b".into(), 8, 100).call(&stage.runtime).await.unwrap().replayed());
    // Another amount for the same line is no other intent.
    charge_line("a/b".into(), 7, 101).call(&stage.runtime).await.refused(Code::CONFLICT);
    assert_eq!(stage.world.effects(), 2);
}

/// Charge a customer once.
#[tool(
    side_effect = "write",
    idempotent(key = "{customer}/{credit}"),
    rollback = "none",
    state(World)
)]
async fn charge_customer(cx: &Cx, customer: u64, credit: i64) -> Result<u32, Trouble> {
    cx.state::<World>().act(&format!("{customer}/{credit}")).await
}

#[tokio::test]
async fn a_number_enters_a_derived_key_as_its_digits_however_large() {
    let stage = Stage::new();
    for customer in [7, 9_007_199_254_740_992, 9_007_199_254_740_993, u64::MAX] {
        for credit in [0, -5, i64::MIN] {
            let done = charge_customer(customer, credit).call(&stage.runtime).await.unwrap();
            assert_eq!(done.key().unwrap().as_str(), format!("{customer}/{credit}"));
            assert!(!done.replayed());
        }
    }
}

#[tokio::test]
async fn a_derived_key_that_is_none_is_refused() {
    let stage = Stage::new();
    let rejected = charge_line("o".repeat(300), 7, 100)
        .call(&stage.runtime)
        .await
        .refused(Code::KEY_MALFORMED);
    assert!(rejected.reason.contains("255"), "{rejected}");
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_dynamic_call_may_repeat_a_derived_key_and_not_bring_another() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<ChargeLine>().build().unwrap();
    let arguments = serde_json::json!({ "order": "o", "line": 1, "cents": 5 });
    let request = |key: Option<&str>| {
        let meta = Meta { idempotency_key: key.map(str::to_owned), ..Meta::default() };
        Request::new("charge_line", &arguments, meta).unwrap()
    };
    let response = runtime.dispatch(request(Some("o/2"))).await;
    assert_eq!((response.status, response.code), (Status::Refused, Some(Code::KEY_MALFORMED)));
    assert_eq!(stage.world.attempts(), 0);
    for key in [Some("o/1"), None] {
        let response = runtime.dispatch(request(key)).await;
        assert_eq!(
            (response.status, response.idempotency_key.as_deref()),
            (Status::Succeeded, Some("o/1"))
        );
    }
    assert_eq!(stage.world.effects(), 1);
}

/// Charge what a map says, under a key that follows from it.
#[tool(side_effect = "write", idempotent(key = "{lines}"), rollback = "none", state(World))]
async fn charge_map(cx: &Cx, lines: HashMap<String, u32>) -> Result<u32, Trouble> {
    let _ = lines;
    cx.state::<World>().act("map").await
}

#[tokio::test]
async fn a_derived_key_does_not_depend_on_the_order_of_a_map() {
    let stage = Stage::new();
    // Each map has an order of its own.
    let lines = || (0..12).map(|line| (format!("line{line}"), line)).collect::<HashMap<_, _>>();
    let first = charge_map(lines()).call(&stage.runtime).await.unwrap();
    for _ in 0..8 {
        let again = charge_map(lines()).call(&stage.runtime).await.unwrap();
        assert_eq!(again.key(), first.key());
    }
    assert_eq!(stage.world.effects(), 1);
}

// ---- idempotent = false ----

#[tokio::test]
async fn without_idempotency_each_call_is_an_operation_of_its_own_on_record() {
    let stage = Stage::new();
    let first = charge_anew("o".into()).call(&stage.runtime).await.unwrap();
    let second = charge_anew("o".into()).call(&stage.runtime).await.unwrap();
    assert_ne!(first.key(), second.key());
    assert_eq!(stage.world.effects(), 2);
    let listed = stage.ledger.inner().list(Query::default()).await.unwrap();
    assert_eq!(
        listed.iter().filter(|(_, record)| record.state.name() == StateName::Succeeded).count(),
        2
    );
}

#[tokio::test]
async fn without_idempotency_nothing_is_tried_twice() {
    for trouble in [Trouble::Busy, Trouble::Down, Trouble::NoRoute, Trouble::Locked, Trouble::Other]
    {
        let stage = Stage::new();
        stage.world.then(Act::Fail(trouble.clone()));
        let failure = charge_anew("o".into()).call(&stage.runtime).await.failed();
        assert_eq!(failure, tool_contract::Failure::Tool(trouble));
        assert_eq!(stage.world.attempts(), 1);
    }
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let unknown = charge_anew("o".into()).call(&stage.runtime).await.unknown();
    assert!(unknown.escalation.is_some());
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_dynamic_call_without_idempotency_takes_no_key() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<ChargeAnew>().build().unwrap();
    let meta = Meta { idempotency_key: Some("k".to_owned()), ..Meta::default() };
    let request = Request::new("charge_anew", &serde_json::json!({ "order": "o" }), meta).unwrap();
    let response = runtime.dispatch(request).await;
    assert_eq!((response.status, response.code), (Status::Refused, Some(Code::KEY_MALFORMED)));
    assert_eq!(stage.world.attempts(), 0);
}
