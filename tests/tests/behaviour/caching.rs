//! Results that are not asked for twice.

use std::sync::Arc;

use tool_contract::ledger::{CachedLedger, Ledger as _, Resolution, Resolved};
use tool_contract::testing::Step;

use crate::slow::SlowLedger;
use crate::stage::{Stage, id, soon};
use crate::tools::charge;

#[tokio::test]
async fn what_was_asked_before_a_persons_word_is_not_cached_after_it() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let cached = CachedLedger::new(slow.clone()).clock(Arc::clone(&stage.clock) as _);
    let cached = Arc::new(cached);
    let runtime = stage.builder().shared_ledger(Arc::clone(&cached) as _).build().unwrap();
    let call = || charge("o".into(), 1).key("k").call(&runtime);
    call().await.unwrap();

    let gate = slow.gate(Step::Admit);
    let asked = tokio::spawn(call());
    gate.reached().await;
    // The ledger has answered; before the answer arrives a person lets it run again.
    let (by, why, resolved) = ("ada".into(), "refunded".into(), Resolved::Reopened);
    cached
        .resolve(Resolution { id: id("charge", "k"), escalation: None, by, why, resolved })
        .await
        .unwrap();
    slow.ungate(Step::Admit);
    gate.open();
    assert!(soon(asked).await.unwrap().unwrap().replayed());
    assert!(!call().await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 2);
}
