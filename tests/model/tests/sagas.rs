//! A saga keeps its promises in every order of events, and what is to be met is met.

use stateright::{Checker, Model};
use tool_contract_model::saga::Saga;

fn check(model: Saga) {
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} steps", checker.unique_state_count(), checker.state_count());
    checker.assert_properties();
}

#[test]
fn before_the_pivot() {
    check(Saga::before_the_pivot());
}

#[test]
fn in_trouble() {
    check(Saga::in_trouble());
}

#[test]
fn with_lost_answers() {
    check(Saga::with_lost_answers());
}

#[test]
fn with_a_person() {
    check(Saga::with_a_person());
}

#[test]
fn past_the_pivot() {
    check(Saga::past_the_pivot());
}

#[test]
fn in_trouble_past_the_pivot() {
    check(Saga::in_trouble_past_the_pivot());
}
