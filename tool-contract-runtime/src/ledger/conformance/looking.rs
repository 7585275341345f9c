//! Records, histories and listings.

use super::stage::{LEASE, NOTHING, Stage, TTL, call, confirmed, happened, id, key, unknown};
use crate::ledger::{
    Admission, EventKind, Finding, Holder, Nonce, Query, ReconcileClaim, Reconciled, Refusal,
    Renewed, Resolved, Settled, StateName, Timestamp, Verdict, verify,
};

pub(super) async fn a_record_is_shown_as_it_was_written(stage: Stage) {
    let id = key("k");
    let request = Admission { correlation_id: Some("trace-1".into()), ..call(7, &id) };
    let claim = stage.claim(&request).await;
    let record = stage.find(&id).await.expect("a record");
    assert_eq!((record.hash, record.terms), (request.hash, request.terms));
    assert_eq!((record.nonce, record.holder, record.fence), (Nonce(7), Holder(1), claim.fence));
    assert_eq!((record.attempts, record.reserved), (2, 2));
    assert_eq!(record.correlation_id, request.correlation_id);
    assert!(record.created_at > Timestamp::ZERO && record.created_at == record.changed_at);
    assert_eq!(record.chain.length, 1);
}

pub(super) async fn histories_verify(stage: Stage) {
    let (one, two) = (key("k"), key("l"));
    let claim = stage.claim(&call(1, &one)).await;
    stage.claim(&call(1, &two)).await;
    stage.settle(&one, claim.fence, unknown()).await;
    stage.pass(LEASE).await;
    let ReconcileClaim::Claimed { fence, .. } = stage.begin(&one, 8).await else {
        panic!("not let in")
    };
    stage.refusal(&call(2, &two)).await;
    stage.finish(&one, fence, Finding::Happened { result: "7".into() }).await;
    let expected = [
        (
            one,
            vec![
                EventKind::Claimed,
                EventKind::BecameUnknown,
                EventKind::ReconcileBegan,
                EventKind::ReconciledHappened,
            ],
        ),
        (two, vec![EventKind::Claimed, EventKind::LeaseLost]),
    ];
    for (id, expected) in expected {
        let events = stage.history(&id).await;
        assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), expected);
        let record = stage.find(&id).await.expect("a record");
        assert_eq!(verify(&events, &record.chain), Ok(()));
    }
}

/// Operations in the order of their ids.
const ORDERED: [(Option<&str>, &str, &str); 7] = [
    (None, "a", "x"),
    (None, "b", "X"),
    (None, "b", "x"),
    (None, "b", "x-"),
    (Some("T"), "a", "x"),
    (Some("t"), "a", "x"),
    (Some("t"), "b", "x"),
];

async fn fill(stage: &Stage) {
    // Not in their order.
    for at in [3, 0, 6, 2, 5, 1, 4] {
        let (tenant, tool, key) = ORDERED[at];
        stage.claim(&call(1, &id(tenant, tool, key))).await;
    }
}

async fn listed(stage: &Stage, query: Query) -> Vec<(Option<String>, String, String)> {
    let found = stage.ledger.list(query).await.unwrap();
    let name = |tenant: tool_contract_spec::key::Tenant| tenant.to_string();
    found
        .into_iter()
        .map(|(id, _)| (id.tenant.map(name), id.tool.to_string(), id.key.to_string()))
        .collect()
}

fn named(which: &[usize]) -> Vec<(Option<String>, String, String)> {
    let one = |at: &usize| {
        let (tenant, tool, key) = ORDERED[*at];
        (tenant.map(str::to_owned), tool.to_owned(), key.to_owned())
    };
    which.iter().map(one).collect()
}

pub(super) async fn operations_are_listed_in_order(stage: Stage) {
    fill(&stage).await;
    assert_eq!(listed(&stage, Query::default()).await, named(&[0, 1, 2, 3, 4, 5, 6]));
    let whole = stage.ledger.list(Query::default()).await.unwrap();
    for (id, record) in whole {
        assert_eq!(stage.find(&id).await, Some(record));
    }
}

pub(super) async fn what_is_over_is_moved_and_remembered(stage: Stage) {
    let keys = ["a", "b", "c"].map(key);
    for id in &keys {
        let request = Admission { arguments: "[1]".into(), ..call(1, id) };
        let claim = stage.claim(&request).await;
        stage.settle(id, claim.fence, happened("7")).await;
    }
    assert_eq!(stage.ledger.prune(10).await, Ok(0));
    stage.pass(TTL).await;
    let live = key("live");
    let claim = stage.claim(&call(1, &live)).await;
    stage.settle(&live, claim.fence, happened("8")).await;
    assert_eq!(stage.ledger.prune(2).await, Ok(2));
    assert_eq!(stage.ledger.prune(10).await, Ok(1));
    assert_eq!(stage.ledger.prune(10).await, Ok(0));
    for id in &keys {
        assert_eq!(stage.refusal(&call(2, id)).await, Refusal::Expired);
        let record = stage.find(id).await.expect("a tombstone");
        assert_eq!((record.state.name(), &*record.arguments), (StateName::Expired, "[1]"));
        let history = stage.ledger.history(id.clone()).await.unwrap();
        assert_eq!(verify(&history, &record.chain), Ok(()));
        assert_eq!(history.last().and_then(|event| event.detail.as_deref()), Some("7"));
    }
    assert_eq!(stage.replay(&call(2, &live)).await, "8");
}

/// The character zero, which many a store cannot hold as it is, stands in nobody's way.
pub(super) async fn a_character_zero_is_listed_and_moved(stage: Stage) {
    let id = key("k");
    let request = Admission { correlation_id: Some("a\0b".into()), ..call(1, &id) };
    let claim = stage.claim(&request).await;
    let unknowns = Query { state: Some(StateName::Unknown), ..Query::default() };
    assert_eq!(listed(&stage, unknowns.clone()).await, []);
    let cause = "no \0 answer".into();
    stage.settle(&id, claim.fence, Verdict::Unknown { cause }).await;
    assert_eq!(listed(&stage, unknowns).await.len(), 1);
    stage.resolve(&id, Resolved::Happened { result: "7".into() }).await;
    stage.pass(TTL).await;
    assert_eq!(stage.ledger.prune(10).await, Ok(1));
    let record = stage.find(&id).await.expect("a tombstone");
    let history = stage.ledger.history(id).await.unwrap();
    assert_eq!(verify(&history, &record.chain), Ok(()));
}

pub(super) async fn a_moved_key_may_be_reopened(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    stage.settle(&id, claim.fence, happened("7")).await;
    stage.pass(TTL).await;
    assert_eq!(stage.ledger.prune(10).await, Ok(1));
    stage.resolve(&id, Resolved::Reopened).await;
    let claim = stage.claim(&call(2, &id)).await;
    stage.settle(&id, claim.fence, happened("8")).await;
    assert_eq!(stage.replay(&call(3, &id)).await, "8");
    stage.pass(TTL).await;
    assert_eq!(stage.ledger.prune(10).await, Ok(1));
    let record = stage.find(&id).await.expect("a tombstone");
    assert_eq!(&*record.arguments, "{}");
    let history = stage.ledger.history(id).await.unwrap();
    assert_eq!(verify(&history, &record.chain), Ok(()));
}

pub(super) async fn listings_are_filtered(stage: Stage) {
    fill(&stage).await;
    let tenant = |name| Some(tool_contract_spec::key::Tenant::new(name).unwrap());
    let of_tenant = Query { tenant: tenant("t"), ..Query::default() };
    assert_eq!(listed(&stage, of_tenant.clone()).await, named(&[5, 6]));
    let of_tool = Query { tool: Some("b".into()), ..Query::default() };
    assert_eq!(listed(&stage, of_tool).await, named(&[1, 2, 3, 6]));
    assert_eq!(listed(&stage, Query { tool: Some("b".into()), ..of_tenant }).await, named(&[6]));
    let claim = stage.claim(&call(1, &id(None, "b", "x"))).await;
    stage.settle(&id(None, "b", "x"), claim.fence, happened("7")).await;
    let claim = stage.claim(&call(1, &id(Some("T"), "a", "x"))).await;
    stage.settle(&id(Some("T"), "a", "x"), claim.fence, unknown()).await;
    let asking = Admission { terms: confirmed().into(), ..call(2, &id(None, "c", "x")) };
    stage.refusal(&asking).await;
    let in_state = |state| Query { state: Some(state), ..Query::default() };
    assert_eq!(listed(&stage, in_state(StateName::Succeeded)).await, named(&[2]));
    assert_eq!(listed(&stage, in_state(StateName::Unknown)).await, named(&[4]));
    assert_eq!(listed(&stage, in_state(StateName::Running)).await, named(&[0, 1, 3, 5, 6]));
    assert_eq!(listed(&stage, in_state(StateName::AwaitingApproval)).await.len(), 1);
    assert_eq!(listed(&stage, in_state(StateName::Expired)).await, []);
}

pub(super) async fn listings_are_paged(stage: Stage) {
    fill(&stage).await;
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = stage.ledger.list(Query { after, limit: 2, ..Query::default() }).await.unwrap();
        assert!(page.len() <= 2);
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().map(|(id, _)| id.to_string()));
    }
    let whole = stage.ledger.list(Query::default()).await.unwrap();
    assert_eq!(seen, whole.into_iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>());
}

/// In the queue are what is unknown, and what has had all its attempts, until a
/// person has said something.
pub(super) async fn what_waits_for_a_person_is_a_queue(stage: Stage) {
    fill(&stage).await;
    let [vague, spent] = [id(None, "b", "X"), id(Some("T"), "a", "x")];
    let claim = stage.claim(&call(1, &vague)).await;
    stage.settle(&vague, claim.fence, unknown()).await;
    for call_number in [1, 2, 3] {
        let claim = stage.claim(&call(call_number, &spent)).await;
        stage.settle(&spent, claim.fence, NOTHING).await;
    }
    let queue = Query { escalated: true, ..Query::default() };
    assert_eq!(listed(&stage, queue.clone()).await, named(&[1]));
    let claim = stage.claim(&call(4, &spent)).await;
    let settled = stage.settle(&spent, claim.fence, NOTHING).await;
    assert!(matches!(settled, Settled::Recorded { escalation: Some(_) }), "{settled:?}");
    let [first, second] = [named(&[1]), named(&[4])];
    assert_eq!(listed(&stage, queue.clone()).await, [first.clone(), second.clone()].concat());
    assert_eq!(listed(&stage, Query { limit: 1, ..queue.clone() }).await, first);
    let rest = Query { after: Some(vague.clone()), ..queue.clone() };
    assert_eq!(listed(&stage, rest).await, second);
    let in_state = |state| Query { state: Some(state), ..queue.clone() };
    assert_eq!(listed(&stage, in_state(StateName::Exhausted)).await, second);
    assert_eq!(listed(&stage, in_state(StateName::Running)).await, []);

    // Whoever vanished is in it, too.
    stage.pass(LEASE).await;
    assert_eq!(listed(&stage, queue.clone()).await, named(&[0, 1, 2, 3, 4, 5, 6]));
    for (id, _) in stage.ledger.list(queue.clone()).await.unwrap() {
        let given_up = stage.resolve(&id, Resolved::Abandoned).await;
        assert!(matches!(given_up, Reconciled::Recorded { .. }), "{given_up:?}");
    }
    assert_eq!(listed(&stage, queue).await, []);
}

/// It is remembered, by whom and why, and its key for good.
pub(super) async fn what_was_given_up_is_remembered(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    stage.settle(&id, claim.fence, unknown()).await;
    stage.resolve(&id, Resolved::Abandoned).await;
    let refusal = Refusal::Abandoned { by: "ada".into(), why: "looked".into() };
    assert_eq!(stage.refusal(&call(2, &id)).await, refusal);
    let record = stage.find(&id).await.expect("a record");
    assert_eq!(record.state.name(), StateName::Abandoned);
    assert_eq!(stage.ledger.prune(10).await, Ok(0));
    stage.pass(TTL).await;
    assert_eq!(stage.ledger.prune(10).await, Ok(1));
    assert_eq!(stage.refusal(&call(2, &id)).await, Refusal::Expired);
}

/// Nobody looks at what waits for a person among what runs.
pub(super) async fn a_lost_lease_is_listed_as_unknown(stage: Stage) {
    fill(&stage).await;
    let [first, second, known] = [id(None, "a", "x"), id(None, "b", "x"), id(Some("t"), "a", "x")];
    let claim = stage.claim(&call(1, &known)).await;
    stage.settle(&known, claim.fence, unknown()).await;
    stage.pass(LEASE / 2).await;
    let held = stage.find(&second).await.expect("a record").fence;
    let renewed = stage.ledger.renew(second.clone(), held, None).await;
    assert!(matches!(renewed, Ok(Renewed::Until { .. })), "{renewed:?}");

    let in_state = |state, limit| Query { state: Some(state), limit, ..Query::default() };
    let states = [StateName::Unknown, StateName::Running, StateName::Reconciling];
    assert_eq!(listed(&stage, in_state(states[0], 0)).await, named(&[5]));
    stage.pass(LEASE / 2).await;
    let overdue = listed(&stage, in_state(states[0], 0)).await;
    assert_eq!(overdue, named(&[0, 1, 3, 4, 5, 6]), "in their order");
    assert_eq!(listed(&stage, in_state(states[1], 0)).await, named(&[2]));

    // A page ends in the middle, and the filters hold for all of them.
    assert_eq!(listed(&stage, in_state(states[0], 2)).await, named(&[0, 1]));
    let after = Some(id(None, "b", "X"));
    let tenant = Some(tool_contract_spec::key::Tenant::new("t").unwrap());
    let tool = Some("b".to_owned());
    let rest = Query { after, ..in_state(states[0], 0) };
    assert_eq!(listed(&stage, rest).await, named(&[3, 4, 5, 6]));
    assert_eq!(listed(&stage, Query { tenant, ..in_state(states[0], 0) }).await, named(&[5, 6]));
    assert_eq!(listed(&stage, Query { tool, ..in_state(states[0], 0) }).await, named(&[1, 3, 6]));

    // Only listed so: a record is shown as it stands, until a step is made.
    let record = stage.find(&first).await.expect("a record");
    assert_eq!(record.state.name(), StateName::Running);
    stage.admit(&call(9, &first)).await;
    let record = stage.find(&first).await.expect("a record");
    assert_eq!(record.state.name(), StateName::Unknown);
    assert_eq!(listed(&stage, in_state(states[0], 0)).await, overdue);
    assert_eq!(listed(&stage, in_state(states[2], 0)).await, []);
}
