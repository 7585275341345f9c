//! With a guard taken away, the checker finds what the guard prevents.

use stateright::{Checker, HasDiscoveries, Model};
use tool_contract_model::{Fault, Promise, Protocol, Sight};

/// With `fault` the promise is broken.
fn breaks(model: Protocol, fault: Fault, promise: Promise) {
    let until = HasDiscoveries::AllOf([promise.name()].into());
    let checker = model.with(fault).checker().threads(2).finish_when(until).spawn_bfs().join();
    let path = checker.assert_any_discovery(promise.name());
    println!("{}: {:?}", promise.name(), path.into_actions());
}

#[test]
fn expired_lease_is_licence() {
    breaks(Protocol::by_ledger(), Fault::ExpiredLeaseIsLicence, Promise::NotAfterUnknown);
    breaks(Protocol::by_ledger(), Fault::ExpiredLeaseIsLicence, Promise::OneEffect);
}

#[test]
fn one_contract_repeats() {
    breaks(Protocol::become_harmless(), Fault::OneContractRepeats, Promise::NotAfterUnknown);
    breaks(Protocol::become_harmless(), Fault::OneContractRepeats, Promise::OneEffect);
}

#[test]
fn doubt_forgotten() {
    breaks(Protocol::harmless(), Fault::DoubtForgotten, Promise::Released);
}

#[test]
fn attempts_not_reserved() {
    breaks(Protocol::by_ledger(), Fault::AttemptsNotReserved, Promise::Attempts);
}

#[test]
fn settlement_needs_no_fence() {
    breaks(Protocol::by_ledger(), Fault::SettlementNeedsNoFence, Promise::StaleFence);
    breaks(Protocol::by_ledger(), Fault::SettlementNeedsNoFence, Promise::HolderHolds);
}

#[test]
fn report_needs_no_fence() {
    breaks(Protocol::two_reconcilers(), Fault::ReportNeedsNoFence, Promise::StaleFence);
}

#[test]
fn fences_start_over() {
    breaks(Protocol::by_ledger(), Fault::FencesStartOver, Promise::HolderHolds);
}

#[test]
fn one_nonce_for_all() {
    breaks(Protocol::by_ledger(), Fault::OneNonceForAll, Promise::OneHolder);
    breaks(Protocol::by_ledger(), Fault::OneNonceForAll, Promise::OneEffect);
}

/// That is safe, and useless: a call whose answer was lost waits for itself.
#[test]
fn nonce_of_each_request() {
    let model = Protocol::expiring().with(Fault::NonceOfEachRequest);
    let model = Protocol { expects: vec![Sight::FoundAgain], ..model };
    let checker = model.checker().threads(2).spawn_bfs().join();
    checker.assert_no_discovery(Sight::FoundAgain.name());
}

#[test]
fn unfinished_expire() {
    breaks(Protocol::by_ledger(), Fault::UnfinishedExpire, Promise::OnRecord);
    breaks(Protocol::by_ledger(), Fault::UnfinishedExpire, Promise::OneEffect);
}

/// A look that began early sees nothing, and is reported when it would be
/// believed.
#[test]
fn look_is_not_timed() {
    breaks(Protocol::slow_to_look(), Fault::LookIsNotTimed, Promise::Released);
    breaks(Protocol::slow_to_look(), Fault::LookIsNotTimed, Promise::OneEffect);
}

#[test]
fn look_timed_by_its_end() {
    breaks(Protocol::slow_to_look(), Fault::LookTimedByItsEnd, Promise::Released);
}

#[test]
fn believed_too_early() {
    breaks(Protocol::slow_to_show(), Fault::BelievedTooEarly, Promise::Released);
}

#[test]
fn believed_without_timeout() {
    breaks(Protocol::slow_to_act(), Fault::BelievedWithoutTimeout, Promise::Released);
}

#[test]
fn taken_for_stoppable() {
    breaks(Protocol::unstoppable(), Fault::TakenForStoppable, Promise::Released);
}

#[test]
fn begins_without_lease() {
    breaks(Protocol::by_ledger(), Fault::BeginsWithoutLease, Promise::OneEffect);
}
