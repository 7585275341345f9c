//! Both ledgers under threads that take turns in every order that a scheduler
//! thinks of. The clock stands still: who is not woken waits for good, and that
//! is found.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p tool-contract-runtime --lib every_order --target-dir target/shuttle`

use std::sync::Arc;
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::thread::spawn;
use shuttle::{Config, Runner};

use super::sqlite;
use crate::ledger::conformance::{call, happened, key};
use crate::ledger::{
    Admission, Admitted, Claim, Ledger, MemoryLedger, Refusal, Settlement, SqliteLedger, StateName,
};
use crate::testing::ManualClock;

/// How many orders are tried of threads that only compute.
const OFTEN: usize = 5_000;
/// How many of those that also wait for a disk.
const SELDOM: usize = 200;

/// Runs `test` in so many orders, half of them such that few turns are taken.
pub(in crate::ledger) fn in_every_order(times: usize, test: fn()) {
    run(RandomScheduler::new(times / 2), test);
    run(PctScheduler::new(3, times / 2), test);
}

fn run(scheduler: impl Scheduler + 'static, test: fn()) {
    let mut config = Config::new();
    // SQLite wants more than a task gets.
    config.stack_size = 1 << 20;
    Runner::new(scheduler, config).run(test);
}

fn memory() -> Arc<dyn Ledger> {
    Arc::new(MemoryLedger::with_clock(Arc::new(ManualClock::new())))
}

/// Asks from three threads at once.
fn admit_thrice(ledger: &Arc<dyn Ledger>, requests: [Admission; 3]) -> [Admitted; 3] {
    let threads = requests.map(|request| {
        let ledger = Arc::clone(ledger);
        spawn(move || block_on(ledger.admit(&request)).expect("it is there"))
    });
    threads.map(|thread| thread.join().expect("it does not panic"))
}

fn one_is_let_in(ledger: &Arc<dyn Ledger>) {
    let answers = admit_thrice(ledger, [1, 2, 3].map(|caller| call(caller, &key("k"))));
    let claims = answers.iter().filter(|answer| matches!(answer, Admitted::Claimed(_))).count();
    let refused = |answer: &&Admitted| {
        matches!(answer, Admitted::Refused(Refusal::InFlight { reconciling: false, .. }))
    };
    assert_eq!((claims, answers.iter().filter(refused).count()), (1, 2), "{answers:?}");
}

fn claim(ledger: &Arc<dyn Ledger>) -> Claim {
    match block_on(ledger.admit(&call(1, &key("k")))) {
        Ok(Admitted::Claimed(claim)) => claim,
        other => panic!("not claimed: {other:?}"),
    }
}

/// Two wait while a third settles, and see that it did.
fn all_are_woken(ledger: &Arc<dyn Ledger>) {
    let fence = claim(ledger).fence;
    let waiters = [(); 2].map(|()| {
        let ledger = Arc::clone(ledger);
        spawn(move || {
            block_on(ledger.changed(key("k"), Duration::MAX));
            block_on(ledger.find(key("k"))).map(|record| record.map(|record| record.state.name()))
        })
    });
    let verdict = happened("7");
    let settlement = Settlement { id: key("k"), fence, used: 1, verdict, attempts: Vec::new() };
    block_on(ledger.settle(&settlement)).expect("it is there");
    for waiter in waiters {
        assert_eq!(waiter.join().expect("it does not panic"), Ok(Some(StateName::Succeeded)));
    }
}

#[test]
fn memory_lets_one_in() {
    in_every_order(OFTEN, || one_is_let_in(&memory()));
}

#[test]
fn memory_wakes_all() {
    in_every_order(OFTEN, || all_are_woken(&memory()));
}

/// Its directory goes when the ledger has gone.
fn with_sqlite(test: impl FnOnce(SqliteLedger)) {
    let (ledger, _directory) = block_on(sqlite(&Arc::new(ManualClock::new())));
    test(ledger);
}

#[test]
fn sqlite_lets_one_in() {
    in_every_order(SELDOM, || {
        with_sqlite(|ledger| one_is_let_in(&(Arc::new(ledger) as Arc<dyn Ledger>)));
    });
}

#[test]
fn sqlite_wakes_all() {
    in_every_order(SELDOM, || {
        with_sqlite(|ledger| all_are_woken(&(Arc::new(ledger) as Arc<dyn Ledger>)));
    });
}
