//! What goes wrong while it runs.

use std::time::Duration;

use super::*;
use crate::ledger::sqlite::faults::CommitFault;

#[tokio::test]
async fn a_commit_that_failed_is_never_answered_with_ok() {
    for fault in [CommitFault::Lost, CommitFault::Kept] {
        let place = Place::new();
        let options = place.options();
        let faults = options.faults();
        let ledger = options.open(place.file()).await.unwrap();
        faults.fail_next_commit(fault);
        let failed = admit(&ledger, 1, "k").await;
        assert!(matches!(failed, Err(LedgerError::Unavailable(_))), "{failed:?}");
        // Asked again, it is claimed once in either case.
        let claim = claim(&ledger, call(1, &key("k"))).await;
        assert_eq!((claim.fence, claim.attempts_before), (Fence(1), 0));
        let settled = settle(&ledger, "k", claim.fence, happened("7")).await;
        assert_eq!(settled, Ok(Settled::Recorded { escalation: None }));
        check(&ledger).await;
    }
}

#[tokio::test]
async fn a_settlement_whose_commit_failed_is_said_again() {
    for fault in [CommitFault::Lost, CommitFault::Kept] {
        let place = Place::new();
        let options = place.options();
        let faults = options.faults();
        let ledger = options.open(place.file()).await.unwrap();
        let claim = claim(&ledger, call(1, &key("k"))).await;
        faults.fail_next_commit(fault);
        assert!(settle(&ledger, "k", claim.fence, happened("7")).await.is_err());
        let again = settle(&ledger, "k", claim.fence, happened("7")).await;
        assert_eq!(again, Ok(Settled::Recorded { escalation: None }));
        check(&ledger).await;
    }
}

#[tokio::test]
async fn a_full_file_takes_what_fits_and_loses_nothing() {
    let place = Place::new();
    let ledger = place.options().most_bytes(200_000).open(place.file()).await.unwrap();
    let mut kept = Vec::new();
    let mut full = None;
    for number in 0..500 {
        let name = format!("k{number}");
        match admit(&ledger, 1, &name).await {
            Ok(Admitted::Claimed(claim)) => kept.push((name, claim)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                full = Some(error);
                break;
            }
        }
    }
    let full = full.expect("it is bounded");
    assert!(matches!(full, LedgerError::Full(_)), "{full}");
    assert!(full.to_string().contains("ledger.db"), "{full}");
    for (name, claim) in &kept {
        assert_eq!(record(&ledger, name).await.fence, claim.fence);
    }
    check(&ledger).await;
    // With more room, it goes on.
    drop(ledger);
    let ledger = place.open().await;
    succeed(&ledger, "more", &"x".repeat(100_000)).await;
    check(&ledger).await;
}

#[tokio::test]
async fn one_that_finds_no_room_does_not_pull_others_down() {
    let place = Place::new();
    let ledger = place.options().most_bytes(400_000).open(place.file()).await.unwrap();
    let large = Admission { arguments: "x".repeat(600_000).into(), ..call(1, &key("large")) };
    let (a, large, b) =
        tokio::join!(admit(&ledger, 1, "k1"), ledger.admit(&large), admit(&ledger, 1, "k2"));
    assert!(matches!(large, Err(LedgerError::Full(_))), "{large:?}");
    assert!(matches!(a, Ok(Admitted::Claimed(_))), "{a:?}");
    assert!(matches!(b, Ok(Admitted::Claimed(_))), "{b:?}");
    assert_eq!(ledger.find(key("large")).await, Ok(None));
}

#[tokio::test]
async fn one_that_the_file_refuses_does_not_pull_others_down() {
    let place = Place::new();
    let ledger = place.open().await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON operations WHEN NEW.key = 'refused' \
                  BEGIN SELECT RAISE(FAIL, 'not this one'); END";
    place.connection().execute_batch(refuse).unwrap();
    let (a, refused, b) =
        tokio::join!(admit(&ledger, 1, "a"), admit(&ledger, 1, "refused"), admit(&ledger, 1, "b"),);
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("not this one"), "{error}");
    assert!(matches!(a, Ok(Admitted::Claimed(_))), "{a:?}");
    assert!(matches!(b, Ok(Admitted::Claimed(_))), "{b:?}");
    check(&ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_does_not_let_go_is_waited_for_and_then_named() {
    let place = Place::new();
    let options = place.options().busy_timeout(Duration::from_millis(50));
    let ledger = options.open(place.file()).await.unwrap();
    succeed(&ledger, "k", "7").await;
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = admit(&ledger, 1, "l").await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("another process"), "{error}");
    // Replays need no lock.
    assert!(matches!(admit(&ledger, 2, "k").await, Ok(Admitted::Replay(_))));
    other.execute_batch("COMMIT").unwrap();
    claim(&ledger, call(1, &key("l"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_does_not_come_is_not_waited_for_for_ever() {
    let place = Place::new();
    let options = place.options().busy_timeout(Duration::from_millis(50));
    let ledger = options.open(place.file()).await.unwrap();
    let mut side = place.file().into_os_string();
    side.push("-turnstile");
    let side = std::fs::File::options().write(true).open(side).unwrap();
    side.lock().unwrap();
    for _ in 0..2 {
        let error = admit(&ledger, 1, "k").await.unwrap_err();
        assert!(error.to_string().contains("has held"), "{error}");
    }
    side.unlock().unwrap();
    claim(&ledger, call(1, &key("k"))).await;
}

#[tokio::test]
async fn a_file_that_was_removed_or_replaced_is_not_written() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    let aside = place.directory.path().join("aside.db");
    std::fs::rename(place.file(), &aside).unwrap();
    let gone = admit(&ledger, 1, "l").await.unwrap_err();
    assert!(gone.to_string().contains("it is gone"), "{gone}");
    // Who only reads makes no file either.
    assert!(ledger.find(key("k")).await.is_err());
    assert!(!place.file().exists());
    std::fs::write(place.file(), "").unwrap();
    let replaced = admit(&ledger, 1, "l").await.unwrap_err();
    assert!(replaced.to_string().contains("taken its place"), "{replaced}");
    assert_eq!(std::fs::metadata(place.file()).unwrap().len(), 0, "and nothing was begun there");
    std::fs::rename(&aside, place.file()).unwrap();
    succeed(&ledger, "l", "8").await;
    check(&ledger).await;
}

#[tokio::test]
async fn more_than_it_takes_is_refused_and_the_rest_is_done() {
    let place = Place::new();
    let ledger = place.options().queue(4).open(place.file()).await.unwrap();
    // Held up, so that the queue fills.
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let requests: Vec<_> = (0..64).map(|number| call(1, &key(&format!("k{number}")))).collect();
    let mut calls: Vec<_> = requests.iter().map(|request| ledger.admit(request)).collect();
    let mut overloaded = 0;
    let mut waiting = Vec::new();
    for mut one in calls.drain(..) {
        match std::future::poll_fn(|cx| std::task::Poll::Ready(one.as_mut().poll(cx))).await {
            std::task::Poll::Ready(Err(LedgerError::Overloaded(4))) => overloaded += 1,
            std::task::Poll::Ready(other) => panic!("{other:?}"),
            std::task::Poll::Pending => waiting.push(one),
        }
    }
    assert!(overloaded > 0, "{} wait", waiting.len());
    other.execute_batch("COMMIT").unwrap();
    for one in waiting {
        assert!(matches!(one.await, Ok(Admitted::Claimed(_))));
    }
}
