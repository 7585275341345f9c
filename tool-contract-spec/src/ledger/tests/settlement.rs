//! Settlement and renewal.

use super::*;

/// A lease that was renewed then.
const fn until(now: u64) -> Renewed {
    Renewed::Until { lease_until: Timestamp(now + LEASE), now: Timestamp(now) }
}
use crate::outcome::OutcomeClass;

fn claimed(terms: Terms) -> (Bench, Fence) {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms));
    (bench, claim.fence)
}

const RECORDED: Settled = Settled::Recorded { escalation: None };

#[test]
fn a_result_is_kept_for_its_ttl() {
    let (mut bench, fence) = claimed(terms());
    assert_eq!(bench.at(5).settle(fence, 1, happened("7")), RECORDED);
    let state = State::Succeeded { result: "7".into(), expires_at: Timestamp(5 + TTL) };
    assert_eq!((&bench.record().state, bench.record().attempts), (&state, 1));
}

#[test]
fn a_settlement_whose_reply_was_lost_is_answered_alike() {
    for verdict in [happened("7"), nothing(3), unknown()] {
        let (mut bench, fence) = claimed(terms());
        let first = bench.settle(fence, 1, verdict.clone());
        let record = bench.record().clone();
        assert_eq!(bench.at(4).settle(fence, 1, verdict), first);
        assert_eq!(*bench.record(), record);
    }
}

#[test]
fn another_verdict_of_the_same_claim_does_not_count() {
    let (mut bench, fence) = claimed(terms());
    bench.settle(fence, 1, happened("7"));
    for verdict in [happened("8"), nothing(0), unknown()] {
        assert_eq!(
            bench.settle(fence, 1, verdict),
            Settled::Superseded { state: StateName::Succeeded }
        );
    }
    let (mut bench, fence) = claimed(terms());
    bench.settle(fence, 1, nothing(0));
    for verdict in [happened("8"), unknown()] {
        assert_eq!(
            bench.settle(fence, 1, verdict),
            Settled::Superseded { state: StateName::Released }
        );
    }
}

#[test]
fn a_stale_fence_changes_nothing() {
    let (mut bench, old) = claimed(repeatable());
    let new = bench.at(LEASE).claim(&admission(2, repeatable())).fence;
    let record = bench.record().clone();
    for verdict in [happened("7"), nothing(0), unknown()] {
        assert_eq!(
            bench.settle(old, 1, verdict),
            Settled::Superseded { state: StateName::Running }
        );
    }
    assert_eq!(bench.renew(old), Renewed::Lost { state: Some(StateName::Running) });
    assert_eq!(*bench.record(), record);
    assert_eq!(bench.settle(new, 1, happened("8")), RECORDED);
}

#[test]
fn a_late_truth_is_welcome() {
    for (verdict, state) in
        [(happened("7"), StateName::Succeeded), (nothing(0), StateName::Released)]
    {
        let (mut bench, fence) = claimed(terms());
        assert_eq!(bench.at(LEASE).renew(fence), Renewed::Lost { state: Some(StateName::Unknown) });
        assert_eq!(bench.at(50).settle(fence, 1, verdict), RECORDED);
        assert_eq!((bench.state(), bench.record().attempts), (state, 1));
    }
}

#[test]
fn a_late_truth_is_too_late_once_somebody_reconciles() {
    let (mut bench, fence) = claimed(terms());
    bench.at(LEASE).reconcile(9);
    assert_eq!(
        bench.settle(fence, 1, happened("7")),
        Settled::Superseded { state: StateName::Reconciling }
    );
    assert_eq!(bench.state(), StateName::Reconciling);
}

#[test]
fn an_unknown_outcome_names_its_escalation() {
    let (mut bench, fence) = claimed(terms());
    let Settled::Recorded { escalation: Some(escalation) } =
        bench.at(3).settle(fence, 1, unknown())
    else {
        panic!("no escalation");
    };
    assert_eq!(bench.record().escalation, Some(escalation.clone()));
    assert_eq!(
        bench.refusal(&admission(2, terms())),
        Refusal::Unknown { escalation, cause: "no answer".into() }
    );
    let State::Unknown(unknown) = &bench.record().state else { panic!("not unknown") };
    assert_eq!((unknown.since, unknown.believed_from), (Timestamp(3), Some(Timestamp(3 + SETTLE))));
}

#[test]
fn a_lost_lease_is_believed_only_when_the_holder_can_no_longer_act() {
    let (mut bench, _) = claimed(terms());
    // Noticed late: counted from when it ran out all the same.
    bench.at(60).refusal(&admission(2, terms()));
    let State::Unknown(unknown) = &bench.record().state else { panic!("not unknown") };
    assert_eq!(
        (unknown.since, unknown.believed_from),
        (Timestamp(LEASE), Some(Timestamp(LEASE + TIMEOUT + SETTLE)))
    );
    assert_eq!(bench.events.last().map(|event| event.kind), Some(EventKind::LeaseLost));
}

#[test]
fn a_repetition_does_not_hide_the_first_holder() {
    let (mut bench, _) = claimed(repeatable());
    // The first may act until lease and timeout are over, the second is quick.
    let second = bench.at(LEASE).claim(&admission(2, repeatable()));
    assert!(second.in_doubt);
    bench.settle(second.fence, 1, unknown());
    let State::Unknown(unknown) = &bench.record().state else { panic!("not unknown") };
    assert_eq!(unknown.believed_from, Some(Timestamp(LEASE + TIMEOUT + SETTLE)));
}

#[test]
fn doubt_ends_with_an_answer() {
    let (mut bench, _) = claimed(repeatable());
    let second = bench.at(LEASE).claim(&admission(2, repeatable()));
    bench.settle(second.fence, 1, nothing(0));
    assert!(!bench.claim(&admission(3, repeatable())).in_doubt);
}

#[test]
fn the_ledger_that_lost_the_operation_says_so() {
    let mut bench = Bench::default();
    assert_eq!(bench.settle(Fence(1), 1, happened("7")), Settled::Missing);
    assert_eq!(bench.renew(Fence(1)), Renewed::Lost { state: None });
}

#[test]
fn a_lease_is_renewed_until_it_runs_out() {
    let (mut bench, fence) = claimed(terms());
    assert_eq!(bench.at(9).renew(fence), until(9));
    assert_eq!(bench.at(18).renew(fence), until(18));
    assert_eq!(
        bench.at(18 + LEASE).renew(fence),
        Renewed::Lost { state: Some(StateName::Unknown) }
    );
    assert_eq!(bench.renew(fence), Renewed::Lost { state: Some(StateName::Unknown) });
}

#[test]
fn a_reconciler_renews_too() {
    let (mut bench, _) = claimed(terms());
    let fence = bench.at(LEASE).reconcile(9);
    assert_eq!(bench.at(LEASE + 5).renew(fence), until(LEASE + 5));
    assert_eq!(
        bench.at(2 * LEASE + 5).renew(fence),
        Renewed::Lost { state: Some(StateName::Unknown) }
    );
}

#[test]
fn failed_attempts_are_in_the_history() {
    let attempt = Attempt {
        decided: "stop".into(),
        number: 1,
        began_at: Timestamp(1),
        took: ms(2),
        class: OutcomeClass::SideEffectUnknown,
        error: "no answer".into(),
    };
    for verdict in [happened("7"), nothing(0), unknown()] {
        let (mut bench, fence) = claimed(terms());
        let settlement =
            Settlement { id: id("key"), fence, used: 1, verdict, attempts: vec![attempt.clone()] };
        bench.step(|slot, around| settle(slot, &settlement, around));
        let told: Vec<Vec<Attempt>> = bench
            .events
            .iter()
            .filter_map(|event| serde_json::from_str(event.detail.as_deref()?).ok())
            .collect();
        assert_eq!(told, [vec![attempt.clone()]]);
    }
}

#[test]
fn what_time_alone_did_can_be_put_on_record() {
    let (mut bench, fence) = claimed(terms());
    let seen = |bench: &mut Bench, now| bench.at(now).step(notice);
    assert_eq!(seen(&mut bench, 9), Some(StateName::Running));
    assert_eq!(seen(&mut bench, LEASE), Some(StateName::Unknown));
    bench.settle(fence, 1, happened("7"));
    assert_eq!(seen(&mut bench, LEASE + TTL - 1), Some(StateName::Succeeded));
    assert_eq!(seen(&mut bench, LEASE + TTL), Some(StateName::Expired));
    assert_eq!(Bench::default().step(notice), None);
}

#[test]
fn a_note_stands_in_the_history_of_the_newest_fence_alone() {
    let (mut bench, fence) = claimed(terms());
    let note = Note::Stepped("{}".into());
    let noted = bench.at(9).step(|slot, around| renew(slot, fence, Some(&note), around));
    assert_eq!(noted, until(9), "it renews the lease too");
    let newest = bench.events.last().map(|event| (event.kind, event.detail.as_deref()));
    assert_eq!(newest, Some((EventKind::Stepped, Some("{}"))));

    let before = (bench.slot.clone(), bench.events.len());
    let stale = Fence(fence.0 + 1);
    let refused = bench.step(|slot, around| renew(slot, stale, Some(&note), around));
    assert_eq!(refused, Renewed::Lost { state: Some(StateName::Running) });
    assert_eq!((bench.slot.clone(), bench.events.len()), before);

    let late = bench.at(9 + LEASE).step(|slot, around| renew(slot, fence, Some(&note), around));
    assert_eq!(late, Renewed::Lost { state: Some(StateName::Unknown) });
    let reconciler = bench.reconcile(7);
    let refused = bench.step(|slot, around| renew(slot, reconciler, Some(&note), around));
    assert_eq!(refused, Renewed::Lost { state: Some(StateName::Reconciling) });
}

#[test]
fn what_failed_for_good_where_somebody_counts_on_it_waits_for_a_person() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    let settled = bench.settle(claim.fence, 1, Verdict::Exhausted);
    let escalation = bench.record().escalation.clone();
    assert_eq!(settled, Settled::Recorded { escalation: escalation.clone() });
    assert_eq!((bench.state(), escalation.is_some()), (StateName::Exhausted, true));
    // Again, since the reply was lost.
    assert_eq!(bench.settle(claim.fence, 1, Verdict::Exhausted), settled);
    // It has attempts left, and a contract that gives it more changes nothing.
    for max_total in [MAX_TOTAL, 2 * MAX_TOTAL] {
        let refused =
            Refusal::AttemptsExhausted { attempts: 1, max_total, escalation: escalation.clone() };
        assert_eq!(bench.refusal(&admission(2, Terms { max_total, ..terms() })), refused);
    }
    bench.resolve(Resolved::Reopened);
    assert_eq!(bench.claim(&admission(3, terms())).attempts_before, 0);
}
