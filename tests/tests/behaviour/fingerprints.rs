//! Calls that bind more than their arguments.

use serde_json::json;
use tool_contract::ledger::EventKind;
use tool_contract::spec::rulebook::Code;

use crate::stage::{Ending, Stage};
use crate::tools::charge;

#[tokio::test]
async fn under_one_key_another_fingerprint_is_another_intent() {
    let stage = Stage::new();
    let call = |prices: u32| {
        charge("o".into(), 1)
            .key("k")
            .fingerprint(&json!({ "prices": prices }))
            .call(&stage.runtime)
    };
    call(7).await.unwrap();
    assert!(call(7).await.unwrap().replayed());
    call(8).await.refused(Code::CONFLICT);
    charge("o".into(), 1).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
    assert_eq!(stage.world.effects(), 1);
    let history = stage.history("charge", "k").await;
    assert_eq!(history[0].kind, EventKind::Bound);
    assert_eq!(history[0].detail.as_deref(), Some(r#"{"prices":7}"#));
}

#[tokio::test]
async fn under_two_keys_neither_is_a_reminted_other() {
    let stage = Stage::new();
    let first = charge("o".into(), 1).key("k1").fingerprint("monday").call(&stage.runtime);
    first.await.unwrap();
    let second = charge("o".into(), 1).key("k2").fingerprint("tuesday").call(&stage.runtime);
    assert_eq!(second.await.unwrap().reminted_from(), None);
    let again = charge("o".into(), 1).key("k3").fingerprint("monday").call(&stage.runtime);
    assert_eq!(again.await.unwrap().reminted_from().map(|key| key.as_str()), Some("k1"));
}

#[tokio::test]
async fn what_is_no_fingerprint_is_refused() {
    let stage = Stage::new();
    let long = "x".repeat(5_000);
    let refused = charge("o".into(), 1).key("k").fingerprint(&long).call(&stage.runtime).await;
    let rejected = refused.refused(Code::ARGUMENTS_MALFORMED);
    assert!(rejected.to_string().contains("5002 bytes"), "{rejected}");
    assert_eq!((stage.world.attempts(), stage.state("charge", "k").await), (0, None));
}

#[tokio::test]
async fn a_dynamic_call_binds_the_same_way() {
    let stage = Stage::new();
    charge("o".into(), 1).key("k").fingerprint("monday").call(&stage.runtime).await.unwrap();
    for (fingerprint, status) in [("monday", "succeeded"), ("tuesday", "refused")] {
        let request = json!({
            "tool": "charge",
            "arguments": { "order": "o", "cents": 1 },
            "meta": { "idempotency_key": "k", "fingerprint": fingerprint },
        });
        let response = stage.runtime.dispatch_json(request.to_string().as_bytes()).await;
        let response = serde_json::to_value(&response).unwrap();
        assert_eq!(response["status"], status, "{response}");
        assert!(response["operation_hash"].is_string());
    }
    assert_eq!(stage.world.effects(), 1);
}
