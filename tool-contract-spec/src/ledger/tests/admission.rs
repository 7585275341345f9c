//! Admission, in its order: replay, conflict, state, attempts and backoff,
//! approval, limits, claim.

use super::*;
use crate::policy::{Limit, Quota, Scope};

/// A limit that lets `most` calls through.
fn limited(most: u32, request: Admission) -> Admission {
    let limit = Limit { scope: Scope::Tool, quota: Quota::Count(most) };
    let cell = CellId { over: "tool".into(), limit, tenant: None, subject: None };
    Admission { draws: vec![Draw::now(cell)], ..request }
}

fn admit_with(bench: &mut Bench, request: &Admission, cell: &mut Cell) -> Admitted {
    bench.step(|slot, around| admit(slot, request, None, std::slice::from_mut(cell), around))
}

fn succeeded() -> Bench {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, happened("7"));
    bench
}

#[test]
fn a_new_key_is_claimed() {
    let mut bench = Bench::default();
    let claim = bench.at(3).claim(&admission(1, terms()));
    let expected = Claim {
        fence: Fence(1),
        attempts_before: 0,
        attempts: 2,
        lease_until: Timestamp(3 + LEASE),
        now: Timestamp(3),
        in_doubt: false,
        is_first: true,
        reminted_from: None,
        approval: None,
    };
    assert_eq!(claim, expected);
    assert_eq!((bench.record().attempts, bench.record().reserved), (2, 2));
}

#[test]
fn a_replay_comes_before_all_else() {
    let mut bench = succeeded();
    // It wants an approval, has no attempt left, and finds its limit used up.
    let mut request = limited(0, admission(2, Terms { max_total: 0, ..confirmed() }));
    request.approval = Some(ApprovalId("apr_other".into()));
    let mut cell = Cell { count: 9, ..Cell::default() };
    let replay = Replay { result: "7".into(), attempts: 1, reminted_from: None };
    assert_eq!(admit_with(&mut bench, &request, &mut cell), Admitted::Replay(replay));
    assert_eq!(cell, Cell { count: 9, ..Cell::default() });
    assert_eq!(bench.record().approval, None);
}

#[test]
fn a_conflict_comes_before_the_state() {
    let other = |caller| Admission { hash: hash(9), ..admission(caller, terms()) };
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    assert_eq!(bench.refusal(&other(2)), Refusal::Conflict { state: StateName::Running });
    // Its own nonce does not help.
    assert_eq!(bench.refusal(&other(1)), Refusal::Conflict { state: StateName::Running });
    bench.settle(claim.fence, 1, unknown());
    assert_eq!(bench.refusal(&other(2)), Refusal::Conflict { state: StateName::Unknown });
    let fence = bench.reconcile(8);
    assert_eq!(bench.refusal(&other(2)), Refusal::Conflict { state: StateName::Reconciling });
    bench.finish(fence, &Finding::Happened { result: "7".into() });
    assert_eq!(bench.refusal(&other(2)), Refusal::Conflict { state: StateName::Succeeded });
    bench.at(TTL);
    assert_eq!(bench.refusal(&other(2)), Refusal::Conflict { state: StateName::Expired });
}

#[test]
fn a_conflict_with_a_request_for_approval_is_one() {
    let other = Admission { hash: hash(9), ..admission(2, confirmed()) };
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    assert_eq!(bench.refusal(&other), Refusal::Conflict { state: StateName::AwaitingApproval });
    bench.grant(&request, "ada");
    assert_eq!(bench.refusal(&other), Refusal::Conflict { state: StateName::Approved });
}

#[test]
fn the_state_comes_before_the_attempts() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, terms()));
    let request = admission(2, Terms { max_total: 1, ..terms() });
    let in_flight = Refusal::InFlight { reconciling: false, lease_until: Timestamp(LEASE) };
    assert_eq!(bench.refusal(&request), in_flight);
}

#[test]
fn the_attempts_come_before_the_backoff() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 2, nothing(50));
    let spent = admission(2, Terms { max_total: 2, ..terms() });
    let escalation = bench.record().escalation.clone();
    let exhausted = Refusal::AttemptsExhausted { attempts: 2, max_total: 2, escalation };
    assert_eq!(bench.refusal(&spent), exhausted);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::NotBefore { retry_after: ms(50) });
    bench.at(49);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::NotBefore { retry_after: ms(1) });
    bench.at(50);
    assert_eq!(bench.claim(&admission(2, terms())).attempts_before, 2);
}

#[test]
fn the_backoff_comes_before_the_approval() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, nothing(50));
    assert_eq!(
        bench.refusal(&admission(2, confirmed())),
        Refusal::NotBefore { retry_after: ms(50) }
    );
    assert_eq!(bench.record().approval, None);
}

#[test]
fn the_approval_comes_before_the_limits() {
    let mut bench = Bench::default();
    let request = limited(1, admission(1, confirmed()));
    let mut cell = Cell::default();
    let refused = admit_with(&mut bench, &request, &mut cell);
    assert!(matches!(refused, Admitted::Refused(Refusal::AwaitingApproval { .. })), "{refused:?}");
    assert_eq!(cell, Cell::default());
}

#[test]
fn a_limited_call_leaves_no_claim() {
    let mut bench = Bench::default();
    let mut cell = Cell { count: 1, ..Cell::default() };
    let refused = admit_with(&mut bench, &limited(1, admission(1, terms())), &mut cell);
    assert!(matches!(refused, Admitted::Refused(Refusal::Limited(_))), "{refused:?}");
    assert_eq!((bench.slot, bench.events.len()), (None, 0));
}

#[test]
fn a_limited_call_spends_no_grant() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    bench.grant(&request, "ada");
    let mut cell = Cell { count: 1, ..Cell::default() };
    let refused = admit_with(&mut bench, &limited(1, admission(1, confirmed())), &mut cell);
    assert!(matches!(refused, Admitted::Refused(Refusal::Limited(_))), "{refused:?}");
    assert_eq!(bench.state(), StateName::Approved);
}

#[test]
fn a_limited_call_does_not_bind_the_key_anew() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, nothing(0));
    let mut cell = Cell { count: 1, ..Cell::default() };
    let other = limited(1, Admission { hash: hash(9), ..admission(2, terms()) });
    let refused = admit_with(&mut bench, &other, &mut cell);
    assert!(matches!(refused, Admitted::Refused(Refusal::Limited(_))), "{refused:?}");
    assert_eq!(bench.record().hash, hash(0));
}

#[test]
fn a_released_key_may_be_bound_to_other_arguments() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, nothing(0));
    let claim =
        bench.claim(&Admission { hash: hash(9), arguments: "[]".into(), ..admission(2, terms()) });
    assert_eq!(claim.attempts_before, 1, "its attempts stay counted");
    assert_eq!((bench.record().hash, &*bench.record().arguments), (hash(9), "[]"));
}

#[test]
fn a_call_finds_its_own_claim_and_nobody_elses() {
    let mut bench = Bench::default();
    let first = bench.claim(&admission(1, terms()));
    bench.at(4);
    let again = bench.claim(&admission(1, terms()));
    let (lease_until, now) = (Timestamp(4 + LEASE), Timestamp(4));
    assert_eq!(again, Claim { lease_until, now, is_first: false, ..first });
    let elsewhere = Admission { holder: Holder(2), ..admission(1, terms()) };
    assert!(matches!(bench.refusal(&elsewhere), Refusal::InFlight { .. }));
    assert!(matches!(bench.refusal(&admission(2, terms())), Refusal::InFlight { .. }));
    // Once the lease is over, not even its own.
    bench.at(4 + LEASE);
    assert!(matches!(bench.refusal(&admission(1, terms())), Refusal::Unknown { .. }));
}

#[test]
fn a_claim_that_was_found_again_draws_no_second_time() {
    let mut bench = Bench::default();
    let mut cell = Cell::default();
    let request = limited(5, admission(1, terms()));
    admit_with(&mut bench, &request, &mut cell);
    admit_with(&mut bench, &request, &mut cell);
    assert_eq!(cell.count, 1);
    assert_eq!(bench.record().attempts, 2);
}

#[test]
fn attempts_are_reserved_and_given_back() {
    let mut bench = Bench::default();
    for (used, before, reserved) in [(1, 0, 2), (1, 1, 2), (2, 2, 2)] {
        let claim = bench.claim(&admission(1, terms()));
        assert_eq!((claim.attempts_before, claim.attempts), (before, reserved));
        bench.settle(claim.fence, used, nothing(0));
    }
    let escalation = bench.record().escalation.clone();
    let exhausted = Refusal::AttemptsExhausted { attempts: 4, max_total: 4, escalation };
    assert_eq!(bench.refusal(&admission(1, terms())), exhausted);
}

#[test]
fn the_last_claim_gets_what_is_left() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, Terms { attempts: 3, ..terms() }));
    bench.settle(claim.fence, 3, nothing(0));
    assert_eq!(bench.claim(&admission(1, terms())).attempts, 1);
}

#[test]
fn a_crash_does_not_loosen_the_cap() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, repeatable()));
    bench.at(LEASE);
    assert_eq!(bench.claim(&admission(2, repeatable())).attempts_before, 2);
    bench.at(2 * LEASE);
    // That it may have happened is said, not that the attempts are used up.
    assert!(matches!(bench.refusal(&admission(3, repeatable())), Refusal::Unknown { .. }));
}

#[test]
fn an_unknown_outcome_runs_again_only_if_both_contracts_say_so() {
    let lost = |terms: &Terms| {
        let mut bench = Bench::default();
        if let Some(confirm) = terms.confirm {
            let asking = Terms { confirm: Some(confirm), ..terms.clone() };
            let request = bench.request(&admission(1, asking));
            bench.grant(&request, "ada");
        }
        bench.claim(&admission(1, terms.clone()));
        bench.at(LEASE);
        bench
    };
    let confirmed_repeatable = Terms { repeatable: true, ..confirmed() };
    let all = [terms(), repeatable(), confirmed(), confirmed_repeatable];
    for stored in &all {
        for calling in &all {
            let answer = lost(stored).admit(&admission(2, calling.clone()));
            let may = *stored == repeatable() && *calling == repeatable();
            match answer {
                Admitted::Claimed(claim) => {
                    assert!(may && claim.in_doubt, "{stored:?} {calling:?}");
                }
                Admitted::Refused(Refusal::Unknown { .. }) => {
                    assert!(!may, "{stored:?} {calling:?}");
                }
                other => panic!("{stored:?} {calling:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_expired_key_is_remembered() {
    let mut bench = succeeded();
    bench.at(TTL - 1);
    assert!(matches!(bench.admit(&admission(2, terms())), Admitted::Replay(_)));
    bench.at(TTL);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::Expired);
    bench.at(1_000 * TTL);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::Expired);
}

#[test]
fn a_sliding_ttl_begins_again_with_each_replay() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, Terms { sliding: true, ..terms() }));
    bench.settle(claim.fence, 1, happened("7"));
    for round in 1..5 {
        bench.at(round * (TTL - 1));
        assert!(matches!(bench.admit(&admission(2, terms())), Admitted::Replay(_)));
    }
    bench.at(4 * (TTL - 1) + TTL);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::Expired);
}

/// A twin under the key `first`, in the state of `bench`.
fn twin(bench: &Bench) -> Twin {
    Twin { key: id("first").key, record: bench.record().clone() }
}

fn admit_twin(twin: &Twin, remint: Remint, now: u64) -> Admitted {
    let mut bench = Bench::default();
    bench.at(now);
    let request = admission(5, Terms { remint, ..terms() });
    bench.step(|slot, around| admit(slot, &request, Some(twin), &mut [], around))
}

#[test]
fn a_twin_is_reported_refused_or_replayed() {
    let done = twin(&succeeded());
    match admit_twin(&done, Remint::Warn, 1) {
        Admitted::Claimed(claim) => assert_eq!(claim.reminted_from, Some(id("first").key)),
        other => panic!("{other:?}"),
    }
    let first = id("first").key;
    let reminted = Refusal::Reminted { first: first.clone(), state: StateName::Succeeded };
    assert_eq!(admit_twin(&done, Remint::Reject, 1), Admitted::Refused(reminted));
    let replay = Replay { result: "7".into(), attempts: 1, reminted_from: Some(first.clone()) };
    assert_eq!(admit_twin(&done, Remint::Replay, 1), Admitted::Replay(replay));

    let mut bench = Bench::default();
    bench.claim(&admission(1, terms()));
    let reminted = Refusal::Reminted { first, state: StateName::Running };
    assert_eq!(admit_twin(&twin(&bench), Remint::Replay, 1), Admitted::Refused(reminted));
}

#[test]
fn a_twin_that_is_over_is_none() {
    let done = twin(&succeeded());
    assert!(matches!(admit_twin(&done, Remint::Reject, TTL - 1), Admitted::Refused(_)));
    assert!(matches!(admit_twin(&done, Remint::Reject, TTL), Admitted::Claimed(_)));
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, nothing(0));
    assert!(matches!(admit_twin(&twin(&bench), Remint::Reject, 1), Admitted::Claimed(_)));
}

#[test]
fn what_is_not_finished_speaks_without_end() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    assert!(bench.record().speaks_at(Timestamp::END));
    bench.settle(claim.fence, 1, unknown());
    assert!(bench.record().speaks_at(Timestamp::END));
    bench.reconcile(8);
    assert!(bench.record().speaks_at(Timestamp::END));
}

#[test]
fn what_a_call_binds_stands_in_its_history() {
    let mut bench = Bench::default();
    let fingerprint = Some(crate::operation::Fingerprint::of(&["prices", "7"]).unwrap());
    bench.claim(&Admission { fingerprint, ..admission(1, terms()) });
    let events: Vec<_> =
        bench.events.iter().map(|event| (event.kind, event.detail.as_deref())).collect();
    let bound = (EventKind::Bound, Some(r#"["prices","7"]"#));
    assert_eq!(events, [bound, (EventKind::Claimed, None)]);
}

/// Whose saga it is, is settled when it begins: by who first attempts anything.
#[test]
fn a_saga_is_its_users_from_its_first_attempt_on() {
    let saga = Terms { saga: true, ..repeatable() };
    let mut bench = Bench::default();
    let mut claims = |user: Option<&str>, used| {
        let request =
            Admission { requested_by: user.map(Into::into), ..admission(1, saga.clone()) };
        let claim = bench.claim(&request);
        bench.settle(claim.fence, used, nothing(0));
        let mut noted = bench.events.iter().filter(|event| event.kind == EventKind::OnBehalf);
        noted.next_back().and_then(|event| event.detail.clone())
    };
    // It is let go before anything is attempted.
    assert_eq!(claims(Some("zoe"), 0).as_deref(), Some("zoe"));
    assert_eq!(claims(None, 0).as_deref(), Some(""));
    assert_eq!(claims(Some("yan"), 1).as_deref(), Some("yan"));
    assert_eq!(claims(Some("eve"), 1).as_deref(), Some("yan"));
}
