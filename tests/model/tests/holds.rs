//! No promise is broken in any order of events, and what is to be met is met.

use stateright::{Checker, Model};
use tool_contract_model::Protocol;

fn check(model: Protocol) {
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} steps", checker.unique_state_count(), checker.state_count());
    checker.assert_properties();
}

#[test]
fn by_ledger() {
    check(Protocol::by_ledger());
}

#[test]
fn slow_to_show() {
    check(Protocol::slow_to_show());
}

#[test]
fn slow_to_act() {
    check(Protocol::slow_to_act());
}

#[test]
fn slow_to_look() {
    check(Protocol::slow_to_look());
}

#[test]
fn two_reconcilers() {
    check(Protocol::two_reconcilers());
}

#[test]
fn retrying() {
    check(Protocol::retrying());
}

#[test]
fn harmless() {
    check(Protocol::harmless());
}

#[test]
fn become_harmless() {
    check(Protocol::become_harmless());
}

#[test]
fn unstoppable() {
    check(Protocol::unstoppable());
}

#[test]
fn expiring() {
    check(Protocol::expiring());
}
