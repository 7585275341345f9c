//! Claims and what comes of them.

use super::stage::{LEASE, NOTHING, Stage, TTL, call, happened, hash, id, key, terms};
use crate::ledger::{
    Admission, Admitted, EventKind, Fence, Holder, Note, Refusal, Renewed, Settled, StateName,
    Terms, verify,
};

pub(super) async fn a_claim_is_found_again_by_its_own_call_alone(stage: Stage) {
    let id = key("k");
    let first = stage.claim(&call(1, &id)).await;
    assert_eq!(stage.claim(&call(1, &id)).await.fence, first.fence);
    let elsewhere = Admission { holder: Holder(2), ..call(1, &id) };
    for other in [call(2, &id), elsewhere] {
        assert!(matches!(
            stage.refusal(&other).await,
            Refusal::InFlight { reconciling: false, .. }
        ));
    }
}

pub(super) async fn a_result_is_replayed(stage: Stage) {
    let id = key("k");
    stage.succeed(&call(1, &id), r#"{"ok":true}"#).await;
    for caller in [1, 2] {
        assert_eq!(stage.replay(&call(caller, &id)).await, r#"{"ok":true}"#);
    }
}

pub(super) async fn a_released_key_may_be_claimed_by_another(stage: Stage) {
    let id = key("k");
    let first = stage.claim(&call(1, &id)).await;
    stage.settle(&id, first.fence, NOTHING).await;
    let other = Admission { hash: hash(9), arguments: "[9]".into(), ..call(2, &id) };
    let second = stage.claim(&other).await;
    assert!(second.fence > first.fence);
    assert_eq!(second.attempts_before, 1);
    let record = stage.find(&id).await.expect("a record");
    assert_eq!((record.hash, &*record.arguments), (hash(9), "[9]"));
}

pub(super) async fn a_lost_lease_makes_it_unknown_for_good(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    stage.pass(LEASE).await;
    assert_eq!(
        stage.state(&id).await,
        Some(StateName::Running),
        "a record is shown as it was written"
    );
    for caller in [1, 2] {
        assert!(matches!(stage.refusal(&call(caller, &id)).await, Refusal::Unknown { .. }));
    }
    assert_eq!(stage.state(&id).await, Some(StateName::Unknown));
    let late = stage.settle(&id, claim.fence, happened("7")).await;
    assert_eq!(late, Settled::Recorded { escalation: None }, "a late truth is welcome");
}

pub(super) async fn a_stale_fence_settles_nothing(stage: Stage) {
    let id = key("k");
    let first = stage.claim(&call(1, &id)).await;
    stage.settle(&id, first.fence, NOTHING).await;
    stage.claim(&call(2, &id)).await;
    let before = stage.find(&id).await;
    let settled = stage.settle(&id, first.fence, happened("7")).await;
    assert_eq!(settled, Settled::Superseded { state: StateName::Running });
    let renewed = stage.ledger.renew(id.clone(), first.fence, None).await.unwrap();
    assert_eq!(renewed, Renewed::Lost { state: Some(StateName::Running) });
    assert_eq!(stage.find(&id).await, before);
}

pub(super) async fn fences_never_come_twice(stage: Stage) {
    let mut last = Fence::NONE;
    for number in 0..20 {
        let id = id(None, if number % 2 == 0 { "even" } else { "odd" }, &format!("k{number}"));
        let claim = stage.claim(&call(number, &id)).await;
        assert!(claim.fence > last, "{claim:?} after {last:?}");
        last = claim.fence;
        stage.settle(&id, claim.fence, NOTHING).await;
    }
}

pub(super) async fn keys_belong_to_tenant_and_tool(stage: Stage) {
    let ids = [
        id(None, "tool", "k"),
        id(Some("a"), "tool", "k"),
        id(Some("b"), "tool", "k"),
        id(None, "other", "k"),
        id(None, "tool", "K"),
    ];
    for (number, id) in ids.iter().enumerate() {
        stage.succeed(&call(1, id), &number.to_string()).await;
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(stage.replay(&call(2, id)).await, number.to_string());
    }
}

pub(super) async fn a_tombstone_remembers_the_key(stage: Stage) {
    let id = key("k");
    stage.succeed(&call(1, &id), "7").await;
    stage.pass(TTL).await;
    for _ in 0..2 {
        assert_eq!(stage.refusal(&call(2, &id)).await, Refusal::Expired);
    }
    assert_eq!(stage.state(&id).await, Some(StateName::Expired));
}

pub(super) async fn a_sliding_ttl_is_kept(stage: Stage) {
    let id = key("k");
    stage
        .succeed(
            &Admission { terms: Terms { sliding: true, ..terms() }.into(), ..call(1, &id) },
            "7",
        )
        .await;
    for _ in 0..3 {
        stage.pass(TTL / 2).await;
        assert_eq!(stage.replay(&call(2, &id)).await, "7");
    }
    stage.pass(TTL).await;
    assert_eq!(stage.refusal(&call(2, &id)).await, Refusal::Expired);
}

pub(super) async fn other_arguments_are_a_conflict(stage: Stage) {
    let id = key("k");
    stage.succeed(&call(1, &id), "7").await;
    let other = Admission { hash: hash(9), ..call(2, &id) };
    assert_eq!(stage.refusal(&other).await, Refusal::Conflict { state: StateName::Succeeded });
    assert_eq!(stage.replay(&call(2, &id)).await, "7");
}

pub(super) async fn a_lease_is_renewed(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    for _ in 0..3 {
        stage.pass(LEASE / 2).await;
        let renewed = stage.ledger.renew(id.clone(), claim.fence, None).await.unwrap();
        assert!(matches!(renewed, Renewed::Until { .. }), "{renewed:?}");
    }
    stage.pass(LEASE).await;
    let renewed = stage.ledger.renew(id.clone(), claim.fence, None).await.unwrap();
    assert_eq!(renewed, Renewed::Lost { state: Some(StateName::Unknown) });
}

pub(super) async fn a_note_is_on_record_with_its_renewal(stage: Stage) {
    let id = key("k");
    let first = stage.claim(&call(1, &id)).await;
    let note = |text: &str| Some(Note::Stepped(text.to_owned()));
    stage.pass(LEASE / 2).await;
    let renewed = stage.ledger.renew(id.clone(), first.fence, note("one")).await.unwrap();
    assert!(matches!(renewed, Renewed::Until { .. }), "{renewed:?}");
    let other = Fence(first.fence.0 + 1);
    let refused = stage.ledger.renew(id.clone(), other, note("two")).await.unwrap();
    assert_eq!(refused, Renewed::Lost { state: Some(StateName::Running) });
    stage.pass(LEASE).await;
    let refused = stage.ledger.renew(id.clone(), first.fence, note("three")).await.unwrap();
    assert_eq!(refused, Renewed::Lost { state: Some(StateName::Unknown) });
    let history = stage.history(&id).await;
    let noted: Vec<_> = history.iter().filter(|event| event.kind == EventKind::Stepped).collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].detail.as_deref(), Some("one"));
    let chain = stage.find(&id).await.unwrap().chain;
    assert_eq!(verify(&history, &chain), Ok(()));
}

pub(super) async fn what_is_not_known_is_missing(stage: Stage) {
    let id = key("k");
    assert_eq!(stage.settle(&id, Fence(1), happened("7")).await, Settled::Missing);
    assert_eq!(
        stage.ledger.renew(id.clone(), Fence(1), None).await.unwrap(),
        Renewed::Lost { state: None }
    );
    assert_eq!(stage.find(&id).await, None);
    assert_eq!(stage.history(&id).await, []);
    assert!(
        matches!(stage.admit(&call(1, &id)).await, Admitted::Claimed(_)),
        "asking left nothing behind"
    );
}

pub(super) async fn large_and_strange_values_are_kept(stage: Stage) {
    let id = id(Some(&"~".repeat(255)), "tool", &"!".repeat(255));
    let result = format!("\"{}\u{0}\u{1F980}'; DROP TABLE operations; --\"", "x".repeat(1 << 20));
    let request = Admission {
        arguments: "{\"ä\":\"\u{2028}\"}".into(),
        correlation_id: Some("".into()),
        requested_by: Some("\u{1F980}".into()),
        nonce: crate::ledger::Nonce(u128::MAX),
        ..call(1, &id)
    };
    stage.succeed(&request, &result).await;
    assert_eq!(stage.replay(&call(2, &id)).await, result);
    let record = stage.find(&id).await.expect("a record");
    assert_eq!(
        (record.arguments, record.correlation_id),
        (request.arguments, request.correlation_id)
    );
}
