//! The one thread that writes, its end, and a commit that fails, in every order
//! of those who ask.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use shuttle::future::block_on;
use shuttle::thread::spawn;

use super::*;
use crate::ledger::sqlite::faults::CommitFault;
use crate::ledger::tests::every_order::in_every_order;

/// Each that shared the commit is answered, and finds its own claim when it
/// asks again, be the commit durable or not.
fn all_are_answered(fault: CommitFault) {
    let place = Place::new();
    let options = place.options();
    let faults = options.faults();
    let ledger = Arc::new(block_on(options.open(place.file())).unwrap());
    faults.fail_next_commit(fault);
    let threads = ["a", "b", "c"].map(|name| {
        let ledger = Arc::clone(&ledger);
        spawn(move || {
            let first = block_on(ledger.admit(&call(1, &key(name))));
            assert!(matches!(first, Ok(Admitted::Claimed(_)) | Err(LedgerError::Unavailable(_))));
            let again = block_on(ledger.admit(&call(1, &key(name))));
            assert!(matches!(again, Ok(Admitted::Claimed(_))), "{again:?}");
            first.is_err()
        })
    });
    let failed = threads.map(|thread| thread.join().unwrap());
    assert!(failed.contains(&true), "a failed commit is told");
}

#[test]
fn a_lost_commit_is_told_to_all() {
    in_every_order(100, || all_are_answered(CommitFault::Lost));
}

#[test]
fn a_kept_commit_is_told_to_all() {
    in_every_order(100, || all_are_answered(CommitFault::Kept));
}

/// The last of the threads that ask drops the ledger, when nobody waits any more
/// for what was asked; all of it is done first.
#[test]
fn what_waits_is_finished_when_it_is_dropped() {
    in_every_order(100, || {
        let place = Place::new();
        let ledger = Arc::new(block_on(place.open()));
        let threads = ["a", "b", "c"].map(|name| {
            let ledger = Arc::clone(&ledger);
            spawn(move || {
                let request = call(1, &key(name));
                let mut asked = pin!(ledger.admit(&request));
                // It is sent, and its answer is not waited for.
                let _ = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            })
        });
        drop(ledger);
        for thread in threads {
            thread.join().unwrap();
        }
        let again = block_on(place.open());
        for name in ["a", "b", "c"] {
            assert!(block_on(again.find(key(name))).unwrap().is_some(), "{name}");
        }
    });
}
