//! Finding out what happened: by a function, or by a person.

use super::*;

/// An operation whose holder's lease ran out at `LEASE`.
fn lost() -> Bench {
    let mut bench = Bench::default();
    bench.claim(&admission(1, terms()));
    bench.at(LEASE);
    bench
}

const BELIEVED: u64 = LEASE + TIMEOUT + SETTLE;
/// What somebody says who looked at the last possible moment.
const DID_NOT: Finding = did_not(u64::MAX);

/// What somebody says who looked then.
const fn did_not(looked_at: u64) -> Finding {
    Finding::DidNotHappen { looked_at: Timestamp(looked_at), delay: ms(3) }
}

/// What is said to somebody who looked too early.
const fn too_early(wait: u64) -> Reconciled {
    Reconciled::TooEarly { wait: Some(ms(wait)) }
}

fn recorded(state: StateName) -> Reconciled {
    Reconciled::Recorded { state, escalation: None }
}

#[test]
fn there_is_one_reconciler() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    assert_eq!(bench.begin(9), ReconcileClaim::Refused { state: Some(StateName::Reconciling) });
    // But one whose reply was lost finds itself.
    assert_eq!(bench.reconcile(8), fence);
    assert!(matches!(
        bench.refusal(&admission(2, repeatable())),
        Refusal::InFlight { reconciling: true, .. }
    ));
    assert!(matches!(
        bench.resolve(Resolved::Happened { result: "1".into() }),
        Reconciled::Superseded { .. }
    ));
}

#[test]
fn a_reconciler_is_told_what_it_needs() {
    let mut bench = lost();
    let expected = ReconcileClaim::Claimed {
        fence: Fence(2),
        believed_from: Some(Timestamp(BELIEVED)),
        now: Timestamp(12),
        lease_until: Timestamp(12 + LEASE),
        arguments: "{}".into(),
        attempts: 2,
    };
    assert_eq!(bench.at(12).begin(8), expected);
}

#[test]
fn there_is_nothing_to_reconcile_unless_it_is_unknown() {
    let mut bench = Bench::default();
    assert_eq!(bench.begin(8), ReconcileClaim::Refused { state: None });
    let claim = bench.claim(&admission(1, terms()));
    assert_eq!(bench.begin(8), ReconcileClaim::Refused { state: Some(StateName::Running) });
    // Not even by the call itself: its nonce is not a reconciler's.
    assert_eq!(bench.begin(1), ReconcileClaim::Refused { state: Some(StateName::Running) });
    bench.settle(claim.fence, 1, happened("7"));
    assert_eq!(bench.begin(8), ReconcileClaim::Refused { state: Some(StateName::Succeeded) });
}

#[test]
fn that_it_happened_is_believed_at_once() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    let found = Finding::Happened { result: "7".into() };
    assert_eq!(bench.finish(fence, &found), recorded(StateName::Succeeded));
    assert!(matches!(bench.admit(&admission(2, terms())), Admitted::Replay(_)));
    // Again, since the reply was lost; and only the same.
    assert_eq!(bench.finish(fence, &found), recorded(StateName::Succeeded));
    let superseded = Reconciled::Superseded { state: Some(StateName::Succeeded) };
    assert_eq!(bench.finish(fence, &Finding::Happened { result: "8".into() }), superseded);
    assert_eq!(bench.finish(fence, &DID_NOT), superseded);
}

#[test]
fn that_it_did_not_happen_is_believed_when_the_holder_can_no_longer_act() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    assert_eq!(bench.finish(fence, &DID_NOT), too_early(TIMEOUT + SETTLE));
    assert_eq!(bench.state(), StateName::Reconciling);
    bench.at(LEASE + 5).renew(fence);
    bench.at(LEASE + 14).renew(fence);
    assert_eq!(bench.at(BELIEVED - 1).finish(fence, &DID_NOT), too_early(1));
    assert_eq!(bench.at(BELIEVED).finish(fence, &DID_NOT), recorded(StateName::Released));
    assert_eq!(bench.finish(fence, &DID_NOT), recorded(StateName::Released));
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::NotBefore { retry_after: ms(3) });
    assert_eq!(bench.at(BELIEVED + 3).claim(&admission(2, terms())).attempts_before, 2);
}

#[test]
fn what_counts_is_when_somebody_looked_and_not_when_they_say_so() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    for now in [LEASE + 9, LEASE + 14] {
        bench.at(now).renew(fence);
    }
    bench.at(BELIEVED + 2);
    assert_eq!(bench.finish(fence, &did_not(BELIEVED - 1)), too_early(0));
    assert_eq!(bench.state(), StateName::Reconciling);
    assert_eq!(bench.finish(fence, &did_not(BELIEVED)), recorded(StateName::Released));
}

#[test]
fn nobody_has_looked_later_than_now() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    let boast = did_not(BELIEVED);
    assert_eq!(bench.at(LEASE + 5).finish(fence, &boast), too_early(TIMEOUT + SETTLE - 5));
}

#[test]
fn a_body_that_cannot_be_stopped_may_act_for_as_long_as_its_process_lives() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, Terms { stoppable: false, ..terms() }));
    let fence = bench.at(1_000 * LEASE).reconcile(8);
    assert_eq!(bench.finish(fence, &DID_NOT), Reconciled::TooEarly { wait: None });
    bench.finish(fence, &Finding::CannotTell { why: "it may still run".into() });
    let alive = Resolved::DidNotHappen { holder_is_dead: false };
    assert_eq!(bench.resolve(alive), Reconciled::TooEarly { wait: None });
    let dead = Resolved::DidNotHappen { holder_is_dead: true };
    assert_eq!(bench.resolve(dead), recorded(StateName::Released));
}

#[test]
fn a_body_that_cannot_be_stopped_and_has_returned_acts_no_more() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, Terms { stoppable: false, ..terms() }));
    bench.at(3).settle(claim.fence, 1, unknown());
    let fence = bench.at(3 + SETTLE).reconcile(8);
    assert_eq!(bench.finish(fence, &DID_NOT), recorded(StateName::Released));
}

#[test]
fn a_repetition_does_not_hide_a_body_that_cannot_be_stopped() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, Terms { stoppable: false, ..repeatable() }));
    let second = bench.at(LEASE).claim(&admission(2, repeatable()));
    bench.settle(second.fence, 1, unknown());
    let fence = bench.at(1_000 * LEASE).reconcile(8);
    assert_eq!(bench.finish(fence, &DID_NOT), Reconciled::TooEarly { wait: None });
}

#[test]
fn who_cannot_tell_leaves_it_unknown() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    let found = Finding::CannotTell { why: "no such index".into() };
    let first = bench.finish(fence, &found);
    assert!(matches!(
        &first,
        Reconciled::Recorded { state: StateName::Unknown, escalation: Some(_) }
    ));
    assert_eq!(bench.finish(fence, &found), first);
    let State::Unknown(unknown) = &bench.record().state else { panic!("not unknown") };
    assert_eq!(
        unknown.believed_from,
        Some(Timestamp(BELIEVED)),
        "the former holder is still who he was"
    );
    // And another may try.
    assert!(bench.reconcile(9) > fence);
}

#[test]
fn only_the_reconcilers_own_fence_counts() {
    let mut bench = lost();
    let first = bench.reconcile(8);
    let second = bench.at(2 * LEASE).reconcile(9);
    assert_ne!(first, second);
    let superseded = Reconciled::Superseded { state: Some(StateName::Reconciling) };
    assert_eq!(bench.finish(first, &Finding::Happened { result: "7".into() }), superseded);
    assert_eq!(bench.finish(Fence(1), &DID_NOT), superseded);
    assert_eq!(bench.state(), StateName::Reconciling);
    // Not even if it found the same.
    let found = Finding::Happened { result: "7".into() };
    bench.finish(second, &found);
    assert_eq!(
        bench.finish(first, &found),
        Reconciled::Superseded { state: Some(StateName::Succeeded) }
    );
}

#[test]
fn a_reconcilers_lost_lease_leaves_it_unknown() {
    let mut bench = lost();
    let fence = bench.reconcile(8);
    let found = Finding::Happened { result: "7".into() };
    let superseded = Reconciled::Superseded { state: Some(StateName::Unknown) };
    assert_eq!(bench.at(2 * LEASE).finish(fence, &found), superseded);
    assert_eq!(bench.finish(fence, &DID_NOT), superseded);
}

#[test]
fn a_person_may_say_what_happened() {
    let mut bench = lost();
    let happened = Resolved::Happened { result: "7".into() };
    assert_eq!(bench.resolve(happened), recorded(StateName::Succeeded));
    assert!(matches!(bench.admit(&admission(2, terms())), Admitted::Replay(_)));
    let event = bench.events.last().expect("an event");
    assert_eq!(
        (event.kind, event.detail.as_deref()),
        (EventKind::ResolvedHappened, Some("ada: looked"))
    );
}

#[test]
fn a_person_is_believed_early_only_of_a_dead_holder() {
    let mut bench = lost();
    let alive = Resolved::DidNotHappen { holder_is_dead: false };
    assert_eq!(bench.resolve(alive.clone()), too_early(TIMEOUT + SETTLE));
    assert_eq!(bench.state(), StateName::Unknown);
    let dead = Resolved::DidNotHappen { holder_is_dead: true };
    assert_eq!(bench.resolve(dead), recorded(StateName::Released));
    let mut bench = lost();
    assert_eq!(bench.at(BELIEVED).resolve(alive), recorded(StateName::Released));
}

#[test]
fn after_a_persons_word_the_former_holder_settles_nothing() {
    for resolved in
        [Resolved::Happened { result: "7".into() }, Resolved::DidNotHappen { holder_is_dead: true }]
    {
        let mut bench = lost();
        bench.resolve(resolved);
        assert!(bench.record().fence > Fence(1), "it takes a fence of its own");
        let state = bench.state();
        assert_eq!(bench.settle(Fence(1), 1, happened("8")), Settled::Superseded { state });
        assert_eq!(bench.settle(Fence(1), 1, nothing(0)), Settled::Superseded { state });
    }
}

#[test]
fn a_person_has_no_say_where_nothing_is_unknown() {
    let mut bench = Bench::default();
    let dead = || Resolved::DidNotHappen { holder_is_dead: true };
    assert_eq!(bench.resolve(dead()), Reconciled::Superseded { state: None });
    let claim = bench.claim(&admission(1, terms()));
    assert_eq!(bench.resolve(dead()), Reconciled::Superseded { state: Some(StateName::Running) });
    bench.settle(claim.fence, 1, happened("7"));
    assert_eq!(bench.resolve(dead()), Reconciled::Superseded { state: Some(StateName::Succeeded) });
}

#[test]
fn a_person_may_let_it_run_again() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, happened("7"));
    assert_eq!(bench.resolve(Resolved::Reopened), recorded(StateName::Released));
    let event = bench.events.last().expect("an event");
    assert_eq!(
        (event.kind, event.detail.as_deref()),
        (EventKind::Reopened, Some("ada: looked; its result was 7"))
    );
    let again = bench.claim(&admission(2, terms()));
    assert_eq!((again.attempts_before, again.in_doubt), (0, false));
    // Who held it before settles nothing.
    assert!(matches!(bench.settle(claim.fence, 1, happened("8")), Settled::Superseded { .. }));
}

#[test]
fn a_tombstone_and_a_key_without_attempts_may_be_reopened() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    bench.settle(claim.fence, 1, happened("7"));
    bench.at(TTL);
    assert_eq!(bench.refusal(&admission(2, terms())), Refusal::Expired);
    let event = bench.events.last().expect("an event");
    assert_eq!((event.kind, event.detail.as_deref()), (EventKind::Expired, Some("7")));
    assert_eq!(bench.resolve(Resolved::Reopened), recorded(StateName::Released));
    for _ in 0..MAX_TOTAL {
        let claim = bench.claim(&admission(3, Terms { attempts: 1, ..terms() }));
        bench.settle(claim.fence, 1, nothing(0));
    }
    assert!(matches!(bench.refusal(&admission(4, terms())), Refusal::AttemptsExhausted { .. }));
    bench.resolve(Resolved::Reopened);
    bench.claim(&admission(5, terms()));
}

#[test]
fn what_runs_or_is_unknown_is_not_reopened() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, terms()));
    for (now, state) in [(0, StateName::Running), (LEASE, StateName::Unknown)] {
        let superseded = Reconciled::Superseded { state: Some(state) };
        assert_eq!(bench.at(now).resolve(Resolved::Reopened), superseded);
    }
    bench.reconcile(8);
    let superseded = Reconciled::Superseded { state: Some(StateName::Reconciling) };
    assert_eq!(bench.resolve(Resolved::Reopened), superseded);
}

/// A key that has had all its attempts.
fn exhausted() -> Bench {
    spent(&Terms { attempts: 1, ..terms() })
}

fn spent(terms: &Terms) -> Bench {
    let mut bench = Bench::default();
    for call in 0..MAX_TOTAL {
        let claim = bench.claim(&admission(call.into(), terms.clone()));
        bench.settle(claim.fence, 1, nothing(0));
    }
    bench
}

#[test]
fn what_a_saga_answers_for_waits_for_nobody() {
    let covered = Terms { attempts: 1, covered: true, ..terms() };
    let mut bench = spent(&covered);
    assert_eq!((bench.state(), bench.record().escalation.clone()), (StateName::Released, None));
    let spent = Refusal::AttemptsExhausted { attempts: 4, max_total: 4, escalation: None };
    assert_eq!(bench.refusal(&admission(9, covered)), spent);
    let by_hand = Resolved::Happened { result: "7".into() };
    let superseded = Reconciled::Superseded { state: Some(StateName::Released) };
    assert_eq!(bench.resolve(by_hand), superseded);
}

#[test]
fn a_key_without_attempts_waits_for_a_person() {
    let mut bench = exhausted();
    assert_eq!(bench.state(), StateName::Exhausted);
    let escalation = bench.record().escalation.clone();
    assert!(escalation.is_some());
    let refusal = bench.refusal(&admission(9, terms()));
    let refused = Refusal::AttemptsExhausted { attempts: 4, max_total: 4, escalation };
    assert_eq!(refusal, refused);
    // What is known already is not said again.
    let dead = Resolved::DidNotHappen { holder_is_dead: true };
    let superseded = Reconciled::Superseded { state: Some(StateName::Exhausted) };
    assert_eq!(bench.resolve(dead), superseded);
    bench.resolve(Resolved::Reopened);
    assert_eq!((bench.state(), bench.record().escalation.clone()), (StateName::Released, None));
}

#[test]
fn the_last_attempt_is_answered_with_the_escalation() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, Terms { attempts: MAX_TOTAL, ..terms() }));
    let settled = bench.settle(claim.fence, MAX_TOTAL, nothing(0));
    let escalation = bench.record().escalation.clone();
    assert_eq!((escalation.is_some(), settled), (true, Settled::Recorded { escalation }));
    // Again, since the reply was lost.
    assert_eq!(bench.settle(claim.fence, MAX_TOTAL, nothing(0)), settled_with(&bench));
}

fn settled_with(bench: &Bench) -> Settled {
    Settled::Recorded { escalation: bench.record().escalation.clone() }
}

#[test]
fn a_key_that_might_be_tried_once_waits_for_nobody() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, Terms { attempts: 1, max_total: 1, ..terms() }));
    let settled = bench.settle(claim.fence, 1, nothing(0));
    assert_eq!(settled, Settled::Recorded { escalation: None });
    assert_eq!(bench.state(), StateName::Released);
}

#[test]
fn a_contract_that_allows_more_takes_a_key_out_of_the_queue() {
    let mut bench = exhausted();
    let more = Terms { max_total: MAX_TOTAL + 1, ..terms() };
    assert_eq!(bench.claim(&admission(9, more)).attempts, 1);
    assert_eq!(bench.record().escalation, None);
}

#[test]
fn that_it_did_not_happen_leaves_a_key_without_attempts_in_the_queue() {
    let mut bench = Bench::default();
    bench.claim(&admission(1, Terms { attempts: MAX_TOTAL, ..terms() }));
    bench.at(BELIEVED);
    let fence = bench.reconcile(8);
    let found = bench.finish(fence, &DID_NOT);
    let escalation = bench.record().escalation.clone();
    assert!(escalation.is_some());
    assert_eq!(found, Reconciled::Recorded { state: StateName::Exhausted, escalation });
    assert_eq!(bench.finish(fence, &DID_NOT), found);
}

#[test]
fn what_was_done_by_hand_replays() {
    let mut bench = exhausted();
    let happened = Resolved::Happened { result: "7".into() };
    assert_eq!(bench.resolve(happened), recorded(StateName::Succeeded));
    assert!(matches!(bench.admit(&admission(9, terms())), Admitted::Replay(_)));
}

#[test]
fn what_was_given_up_never_runs_again_and_says_who_gave_it_up() {
    for bench in [lost(), exhausted()] {
        let mut bench = bench;
        let fence = bench.record().fence;
        assert_eq!(bench.resolve(Resolved::Abandoned), recorded(StateName::Abandoned));
        assert!(bench.record().fence > fence, "a word takes a fence of its own");
        let event = bench.events.last().expect("an event");
        let said = (event.kind, event.detail.as_deref());
        assert_eq!(said, (EventKind::ResolvedAbandoned, Some("ada: looked")));
        let refusal = Refusal::Abandoned { by: "ada".into(), why: "looked".into() };
        for terms in [terms(), repeatable(), Terms { max_total: 99, ..terms() }] {
            assert_eq!(bench.refusal(&admission(9, terms)), refusal);
        }
        // A late truth is not welcome any more, nor is a reconciler.
        let late = Settled::Superseded { state: StateName::Abandoned };
        assert_eq!(bench.settle(fence, 1, happened("7")), late);
        let refused = ReconcileClaim::Refused { state: Some(StateName::Abandoned) };
        assert_eq!(bench.begin(8), refused);
        bench.now += TTL;
        assert_eq!(bench.refusal(&admission(9, terms())), Refusal::Expired);
    }
}

#[test]
fn only_what_waits_for_a_person_is_given_up() {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, terms()));
    let superseded = |state| Reconciled::Superseded { state: Some(state) };
    assert_eq!(bench.resolve(Resolved::Abandoned), superseded(StateName::Running));
    bench.settle(claim.fence, 1, nothing(0));
    assert_eq!(bench.resolve(Resolved::Abandoned), superseded(StateName::Released));
    let claim = bench.claim(&admission(2, terms()));
    bench.settle(claim.fence, 1, happened("7"));
    assert_eq!(bench.resolve(Resolved::Abandoned), superseded(StateName::Succeeded));
}

#[test]
fn what_was_given_up_speaks_for_its_intent_and_may_be_reopened() {
    let mut bench = lost();
    bench.resolve(Resolved::Abandoned);
    assert!(bench.record().speaks_at(Timestamp(LEASE + TTL - 1)));
    assert!(!bench.record().speaks_at(Timestamp(LEASE + TTL)));
    assert_eq!(bench.resolve(Resolved::Reopened), recorded(StateName::Released));
    assert_eq!(bench.claim(&admission(9, terms())).attempts_before, 0);
}

#[test]
fn a_word_on_an_escalation_that_is_over_does_not_count() {
    let mut bench = exhausted();
    let first = bench.record().escalation.clone();
    bench.resolve(Resolved::Reopened);
    let claim = bench.claim(&admission(9, terms()));
    bench.settle(claim.fence, 1, unknown());
    let second = bench.record().escalation.clone();
    assert_ne!(first, second);
    let happened = Resolved::Happened { result: "7".into() };
    let superseded = Reconciled::Superseded { state: Some(StateName::Unknown) };
    assert_eq!(bench.resolve_of(first, happened.clone()), superseded);
    assert_eq!(bench.resolve_of(second, happened), recorded(StateName::Succeeded));
}

#[test]
fn what_is_repeated_and_unknown_again_keeps_its_name() {
    let mut bench = Bench::default();
    let mut claim = bench.claim(&admission(1, repeatable()));
    bench.settle(claim.fence, 1, unknown());
    let name = bench.record().escalation.clone();
    for again in [unknown(), unknown()] {
        claim = bench.claim(&admission(2, repeatable()));
        bench.settle(claim.fence, 1, again);
        assert_eq!(bench.record().escalation, name);
    }
    // Once somebody has decided, what comes is something else.
    bench.at(LEASE + SETTLE).resolve(Resolved::DidNotHappen { holder_is_dead: true });
    claim = bench.claim(&admission(3, repeatable()));
    bench.settle(claim.fence, 1, unknown());
    assert_ne!(bench.record().escalation, name);
}

fn saga() -> Terms {
    Terms { saga: true, ..repeatable() }
}

/// A saga that rests.
fn resting() -> Bench {
    let mut bench = Bench::default();
    let claim = bench.claim(&admission(1, saga()));
    bench.settle(claim.fence, 1, unknown());
    bench
}

#[test]
fn of_a_saga_only_what_a_saga_comes_to_can_be_said() {
    let mut exhausted = Bench::default();
    let claim = exhausted.claim(&admission(1, saga()));
    exhausted.settle(claim.fence, 1, Verdict::Exhausted);
    for (mut bench, cause) in [(resting(), "no answer"), (exhausted, "it has had all its attempts")]
    {
        let before = bench.slot.clone();
        let happened = |result: &str| Resolved::Happened { result: result.into() };
        for said in [
            Resolved::DidNotHappen { holder_is_dead: true },
            Resolved::Abandoned,
            happened("null"),
            happened("17"),
            happened(r#"{"finished":1,"undone":{"error":"","steps":[]}}"#),
            happened(r#"{"undone":{"error":"no steps"}}"#),
            happened(r#"{"undone":{"error":"","steps":[{"step":"1","tool":"hold"}]}}"#),
        ] {
            let refused = Reconciled::OfItsSteps { cause: cause.into() };
            assert_eq!(bench.resolve(said.clone()), refused, "{said:?}");
            assert_eq!(bench.slot, before);
        }
        let undone = r#"{"undone":{"error":"sold out","steps":[{"step":1,"tool":"hold"}]}}"#;
        assert_eq!(bench.resolve(happened(undone)), recorded(StateName::Succeeded));
        assert_eq!(bench.resolve(Resolved::Reopened), recorded(StateName::Released));
    }
    let finished = Resolved::Happened { result: r#"{"finished":null}"#.into() };
    assert_eq!(resting().resolve(finished), recorded(StateName::Succeeded));
}
