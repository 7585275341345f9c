//! Workers that share a ledger are killed at random moments, and so is its
//! server, again and again: no effect happens twice, none is lost, and what may
//! have happened is on record as unknown.
//!
//! Effects are counted outside, in files that are synced for each. It makes 8,000
//! calls on each ledger. The long form is
//! `TOOL_CONTRACT_KILL_CALLS=100000 cargo test -p tool-contract-tests --test
//! kill_ledgers -- --nocapture`.
//!
//! And [limits] hold across processes.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod account;
mod limits;
mod place;
mod said;
mod site;

use self::account::Account;
use self::place::Place;
use self::site::Site;

fn calls() -> u64 {
    let set = std::env::var("TOOL_CONTRACT_KILL_CALLS").ok();
    set.map_or(8_000, |set| set.parse().expect("TOOL_CONTRACT_KILL_CALLS is a number"))
}

/// Kills until all calls are made, and accounts for every one.
async fn check(place: Place) {
    let mut site = Site::new(place, calls());
    site.kill_until_all_is_said();
    let ledger = site.reopened().await;
    account::await_leases(&*ledger).await;
    let before = Account::draw_up(&*ledger, &site.world(), &site.said()).await;
    println!("{}; {before}", site.summary());
    before.check();

    // Whoever asks again changes nothing that the ledger alone guards, and
    // finishes what is deduped downstream.
    site.ask_each_again();
    let after = Account::draw_up(&*ledger, &site.world(), &site.said()).await;
    after.check();
    assert_eq!(after.strike.unknown, before.strike.unknown);
    assert_eq!(after.deliver.unknown.len(), 0, "{:?}", after.deliver.unknown);
    assert_eq!(after.strike.succeeded + after.strike.unknown.len() as u64, site.keys());
    assert_eq!(after.deliver.succeeded, site.keys());
}

#[tokio::test]
async fn on_sqlite_no_effect_happens_twice_whoever_is_killed() {
    check(Place::sqlite()).await;
}

#[tokio::test]
async fn on_redis_no_effect_happens_twice_whoever_is_killed() {
    let Some(place) = Place::redis() else { return };
    check(place).await;
}

#[tokio::test]
async fn on_postgres_no_effect_happens_twice_whoever_is_killed() {
    let Some(place) = Place::postgres() else { return };
    check(place).await;
}

/// Where processes share no ledger the same run does find duplicates: the
/// counter counts.
#[test]
fn the_counter_finds_duplicates_where_no_ledger_is_shared() {
    let mut site = Site::new(Place::Memory, 2_000);
    site.kill_until_all_is_said();
    assert!(account::struck(&site.world()).values().any(|times| *times > 1));
}
