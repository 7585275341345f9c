//! Restarts, clocks and ends.

use std::time::Duration;

use super::*;
use crate::ledger::conformance::{call, unknown};
use crate::ledger::sqlite::checkpointer::Checkpointer;
use crate::ledger::sqlite::schema;
use crate::ledger::{Refusal, StateName};

#[tokio::test]
async fn fences_go_on_after_a_restart() {
    let place = Place::new();
    let first = claim(&place.open().await, call(1, &key("a"))).await;
    let second = claim(&place.open().await, call(1, &key("b"))).await;
    assert!(second.fence > first.fence);
    // Not even a ledger that was emptied gives one twice.
    place.connection().execute_batch("DELETE FROM events; DELETE FROM operations").unwrap();
    let third = claim(&place.open().await, call(1, &key("a"))).await;
    assert!(third.fence > second.fence);
}

#[tokio::test]
async fn a_clock_that_was_set_back_revives_no_lease() {
    let place = Place::new();
    claim(&place.open().await, call(1, &key("k"))).await;
    place.clock.advance(Duration::from_secs(11));
    // Another operation shows the time; the lease has run out, unseen.
    claim(&place.open().await, call(1, &key("other"))).await;
    place.clock.step_wall(-3_600_000);
    let ledger = place.open().await;
    let refused = admit(&ledger, 2, "k").await.unwrap();
    assert!(matches!(refused, Admitted::Refused(Refusal::Unknown { .. })), "{refused:?}");
    let seen = record(&ledger, "k").await.changed_at;
    place.clock.advance(Duration::from_mins(1));
    claim(&ledger, call(1, &key("later"))).await;
    assert!(record(&ledger, "later").await.changed_at > seen, "and time goes on");
}

#[tokio::test]
async fn what_was_asked_is_done_before_it_ends() {
    let place = Place::new();
    let ledger = place.open().await;
    let first = claim(&ledger, call(1, &key("k"))).await;
    {
        // Asked, and not waited for.
        let mut settling = Box::pin(settle(&ledger, "k", first.fence, happened("7")));
        let polled = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(settling.as_mut().poll(cx).is_pending())
        });
        polled.await;
    }
    drop(ledger);
    assert_eq!(record(&place.open().await, "k").await.state.name(), StateName::Succeeded);
}

#[tokio::test]
async fn nothing_is_left_open() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    drop(ledger);
    // The log was copied back and removed: the last one closed the door.
    let names = std::fs::read_dir(place.directory.path()).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db-turnstile"]);
}

#[tokio::test]
async fn the_log_is_copied_back_while_it_runs() {
    let place = Place::new();
    let ledger = place.options().without_syncing().open(place.file()).await.unwrap();
    let log = place.directory.path().join("ledger.db-wal");
    for number in 0..3_000 {
        let claim = claim(&ledger, call(1, &key(&format!("k{number}")))).await;
        settle(&ledger, &format!("k{number}"), claim.fence, unknown()).await.unwrap();
    }
    let length = std::fs::metadata(log).unwrap().len();
    assert!(length < 24 << 20, "the log has {length} bytes");
}

#[tokio::test]
async fn the_writer_does_the_rest_itself() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", &"x".repeat(100_000)).await;
    let length = || std::fs::metadata(place.file()).unwrap().len();
    let before = length();
    let mut checkpointer = Checkpointer::start(&place.file(), &place.options()).unwrap();
    let connection = schema::reopen(&place.file(), &place.options()).unwrap();
    checkpointer.wrote(usize::MAX, &connection);
    assert!(length() > before + 100_000, "it is copied back when this returns");
}

#[tokio::test]
async fn the_ledger_can_be_shown() {
    let place = Place::new();
    let shown = format!("{:?} {:?}", place.open().await, place.options());
    assert!(shown.contains("ledger.db") && shown.contains("busy_timeout"), "{shown}");
}
