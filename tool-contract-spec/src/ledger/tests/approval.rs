//! Asking a person first.

use super::*;

/// A request that stands until 20, and that somebody granted at 5: until 25.
fn approved() -> (Bench, ApprovalId) {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    assert_eq!(bench.at(5).grant(&request, "ada"), Decided::Granted { expires_at: Timestamp(25) });
    (bench, request)
}

fn bringing(request: &ApprovalId) -> Admission {
    Admission { approval: Some(request.clone()), ..admission(2, confirmed()) }
}

#[test]
fn a_request_is_left_and_found_again() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    assert_eq!(bench.request(&admission(2, confirmed())), request);
    assert_eq!(bench.request(&bringing(&request)), request);
    assert_eq!(bench.state(), StateName::AwaitingApproval);
    assert_eq!(bench.record().attempts, 0);
}

#[test]
fn a_grant_is_good_for_one_run() {
    let (mut bench, request) = approved();
    let claim = bench.claim(&bringing(&request));
    bench.settle(claim.fence, 1, unknown());
    assert_eq!(bench.record().approval, None);
    let fence = bench.reconcile(8);
    bench.at(30).finish(fence, &Finding::CannotTell { why: String::new() });
    assert_eq!(
        bench.grant(&request, "eve"),
        Decided::Refused(Undecided::NoRequest { state: Some(StateName::Unknown) })
    );
    bench.resolve(Resolved::DidNotHappen { holder_is_dead: true });
    assert_eq!(bench.refusal(&bringing(&request)), Refusal::WrongApproval);
    assert_ne!(bench.request(&admission(3, confirmed())), request);
}

#[test]
fn success_spends_the_grant() {
    let (mut bench, request) = approved();
    let claim = bench.claim(&bringing(&request));
    bench.settle(claim.fence, 1, happened("7"));
    assert_eq!(bench.record().approval, None);
}

#[test]
fn a_lost_lease_spends_the_grant() {
    let (mut bench, request) = approved();
    bench.claim(&bringing(&request));
    bench.at(5 + LEASE).begin(8);
    assert_eq!(bench.record().approval, None);
}

#[test]
fn a_released_run_gives_the_grant_back_until_its_ttl() {
    let (mut bench, request) = approved();
    let claim = bench.claim(&bringing(&request));
    bench.settle(claim.fence, 1, nothing(0));
    let claim = bench.at(24).claim(&bringing(&request));
    bench.settle(claim.fence, 1, nothing(0));
    assert_eq!(bench.at(25).refusal(&bringing(&request)), Refusal::WrongApproval);
    assert_ne!(bench.request(&admission(4, confirmed())), request);
}

#[test]
fn to_ask_is_not_to_run() {
    let (mut bench, request) = approved();
    let asking = Admission { intent: Intent::RequestApproval, ..admission(2, confirmed()) };
    assert_eq!(bench.refusal(&asking), Refusal::Approved { request, expires_at: Timestamp(25) });
    assert_eq!(bench.state(), StateName::Approved);
}

#[test]
fn where_nothing_is_to_be_approved_to_ask_is_not_to_run_either() {
    let mut bench = Bench::default();
    let asking = Admission { intent: Intent::RequestApproval, ..admission(1, terms()) };
    assert_eq!(bench.refusal(&asking), Refusal::NothingToApprove);
    assert_eq!(bench.slot, None);
}

#[test]
fn a_contract_that_has_come_to_want_more_people_gets_them() {
    let (mut bench, request) = approved();
    let two = Admission {
        approval: Some(request.clone()),
        ..admission(2, Terms { confirm: Some((ms(20), 2)), ..terms() })
    };
    assert_eq!(bench.request(&two), request);
    // Nor may one who asks by the older contract.
    assert_eq!(bench.request(&bringing(&request)), request);
    assert_eq!(bench.grant(&request, "ada"), Decided::Refused(Undecided::Again));
    assert!(matches!(bench.grant(&request, "bob"), Decided::Granted { .. }));
    bench.claim(&two);
}

#[test]
fn another_approval_does_not_do() {
    let (mut bench, _) = approved();
    let other = bringing(&ApprovalId("apr_other".into()));
    assert_eq!(bench.refusal(&other), Refusal::WrongApproval);
    assert_eq!(Bench::default().refusal(&other), Refusal::WrongApproval);
}

#[test]
fn a_contract_that_no_longer_asks_does_not_get_around_it() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    assert_eq!(bench.request(&admission(2, terms())), request);
    bench.grant(&request, "ada");
    bench.claim(&admission(2, terms()));
}

#[test]
fn a_request_lapses() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    bench.at(20);
    let late = Decided::Refused(Undecided::NoRequest { state: Some(StateName::Released) });
    assert_eq!(bench.grant(&request, "ada"), late);
    assert_eq!(bench.refusal(&bringing(&request)), Refusal::WrongApproval);
    assert_ne!(bench.request(&admission(3, confirmed())), request);
}

#[test]
fn a_grant_lapses() {
    let (mut bench, request) = approved();
    assert_eq!(bench.at(25).refusal(&bringing(&request)), Refusal::WrongApproval);
    assert_eq!(bench.state(), StateName::Released);
    assert_eq!(bench.events.last().map(|event| event.kind), Some(EventKind::ApprovalExpired));
}

#[test]
fn a_denial_is_final() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, confirmed()));
    assert_eq!(
        bench.decide(&request, "ada", ApprovalVerdict::Deny { why: "no".into() }),
        Decided::Denied
    );
    assert_eq!(
        bench.refusal(&bringing(&request)),
        Refusal::Denied { by: "ada".into(), why: "no".into() }
    );
    let late = Decided::Refused(Undecided::NoRequest { state: Some(StateName::Denied) });
    assert_eq!(bench.grant(&request, "eve"), late);
    assert_eq!(bench.at(TTL).refusal(&bringing(&request)), Refusal::Expired);
}

fn no() -> ApprovalVerdict {
    ApprovalVerdict::Deny { why: "stop".into() }
}

#[test]
fn a_no_outweighs_every_yes_until_the_call_has_begun() {
    // Whoever agreed, or somebody else.
    for by in ["ada", "eve"] {
        let (mut bench, request) = approved();
        assert_eq!(bench.decide(&request, by, no()), Decided::Denied);
        let refused = Refusal::Denied { by: by.into(), why: "stop".into() };
        assert_eq!(bench.refusal(&bringing(&request)), refused);
        let late = Decided::Refused(Undecided::NoRequest { state: Some(StateName::Denied) });
        assert_eq!(bench.grant(&request, "bob"), late);
    }
    let (mut bench, request) = approved();
    bench.claim(&bringing(&request));
    for verdict in [no(), ApprovalVerdict::GRANT] {
        let late = Decided::Refused(Undecided::Begun);
        assert_eq!(bench.decide(&request, "eve", verdict), late);
        assert_eq!(bench.state(), StateName::Running);
    }
}

#[test]
fn who_asked_may_not_take_back_either() {
    let mut bench = Bench::default();
    let asking = Admission { requested_by: Some("bob".into()), ..admission(1, confirmed()) };
    let request = bench.request(&asking);
    bench.grant(&request, "ada");
    assert_eq!(bench.decide(&request, "bob", no()), Decided::Refused(Undecided::Requester));
    assert_eq!(bench.state(), StateName::Approved);
}

#[test]
fn a_grant_that_was_given_back_is_taken_back_by_a_no() {
    let given_back = || {
        let (mut bench, request) = approved();
        let claim = bench.claim(&bringing(&request));
        bench.settle(claim.fence, 1, nothing(0));
        (bench, request)
    };
    let (mut bench, request) = given_back();
    let gone = Decided::Refused(Undecided::NoRequest { state: Some(StateName::Released) });
    assert_eq!(bench.grant(&request, "bob"), gone, "it needs no other yes");
    assert_eq!(bench.at(24).decide(&request, "eve", no()), Decided::Denied);
    let refused = Refusal::Denied { by: "eve".into(), why: "stop".into() };
    assert_eq!(bench.refusal(&bringing(&request)), refused);
    // One that is over lets nothing run, and is not taken back.
    let (mut bench, request) = given_back();
    assert_eq!(bench.at(25).decide(&request, "eve", no()), gone);
}

#[test]
fn what_is_withdrawn_waits_for_nobody() {
    let mut waiting = Bench::default();
    let request = waiting.request(&admission(1, confirmed()));
    for (mut bench, request) in [(waiting, request), approved()] {
        let gone = Decided::Refused(Undecided::NoRequest { state: Some(StateName::Released) });
        let recorded = Reconciled::Recorded { state: StateName::Released, escalation: None };
        assert_eq!(bench.resolve(Resolved::Withdrawn), recorded);
        assert_eq!(bench.grant(&request, "bob"), gone);
        assert_eq!(bench.refusal(&bringing(&request)), Refusal::WrongApproval);
        let again = Reconciled::Superseded { state: Some(StateName::Released) };
        assert_eq!(bench.resolve(Resolved::Withdrawn), again);
        // Whoever needs it after all asks anew.
        assert_ne!(bench.request(&admission(3, confirmed())), request);
    }
    // What has begun is not withdrawn, and what came of it is not forgotten.
    let (mut bench, request) = approved();
    let claim = bench.claim(&bringing(&request));
    let late = |state| Reconciled::Superseded { state: Some(state) };
    assert_eq!(bench.resolve(Resolved::Withdrawn), late(StateName::Running));
    bench.settle(claim.fence, 1, unknown());
    assert_eq!(bench.resolve(Resolved::Withdrawn), late(StateName::Unknown));
}

#[test]
fn who_asked_may_not_decide() {
    let mut bench = Bench::default();
    let asking = Admission { requested_by: Some("bob".into()), ..admission(1, confirmed()) };
    let request = bench.request(&asking);
    assert_eq!(bench.grant(&request, "bob"), Decided::Refused(Undecided::Requester));
    assert_eq!(bench.state(), StateName::AwaitingApproval);
    assert!(matches!(bench.grant(&request, "ada"), Decided::Granted { .. }));
}

#[test]
fn a_quorum_is_of_different_people() {
    let mut bench = Bench::default();
    let request = bench.request(&admission(1, Terms { confirm: Some((ms(20), 2)), ..terms() }));
    assert_eq!(bench.grant(&request, "ada"), Decided::Pending { missing: 1 });
    assert_eq!(bench.grant(&request, "ada"), Decided::Refused(Undecided::Again));
    assert_eq!(bench.state(), StateName::AwaitingApproval);
    assert!(matches!(bench.grant(&request, "eve"), Decided::Granted { .. }));
    bench.claim(&admission(2, confirmed()));
}

#[test]
fn a_decision_on_another_request_does_not_count() {
    let mut bench = Bench::default();
    bench.request(&admission(1, confirmed()));
    let other = ApprovalId("apr_other".into());
    let refused =
        Decided::Refused(Undecided::NoRequest { state: Some(StateName::AwaitingApproval) });
    assert_eq!(bench.grant(&other, "ada"), refused);
    let refused = Decided::Refused(Undecided::NoRequest { state: None });
    assert_eq!(Bench::default().grant(&other, "ada"), refused);
}

#[test]
fn other_arguments_want_another_approval() {
    let (mut bench, request) = approved();
    let claim = bench.claim(&bringing(&request));
    bench.settle(claim.fence, 1, nothing(0));
    let other = Admission { hash: hash(9), ..bringing(&request) };
    assert_eq!(bench.refusal(&other), Refusal::WrongApproval);
    assert_eq!(bench.record().hash, hash(0), "and the key is not bound by it");
    let other = Admission { hash: hash(9), ..admission(3, confirmed()) };
    assert_ne!(bench.request(&other), request);
    assert_eq!(bench.record().hash, hash(9));
}
