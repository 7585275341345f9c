//! Files that are full, damaged or gone.

use std::time::Duration;

use tool_contract::CallError;
use tool_contract::ledger::{LedgerError, Query, SqliteLedger};

use crate::stage::{Folder, charge, effects, in_file, on};

#[tokio::test]
async fn a_full_file_admits_nothing_and_loses_nothing() {
    let folder = Folder::new();
    let ledger = SqliteLedger::options().most_bytes(120_000).open(folder.ledger()).await.unwrap();
    let runtime = on(ledger);
    let (mut ran, mut full, mut unknown) = (Vec::new(), 0, 0);
    for number in 0..300 {
        let order = format!("full/{number}/{}", "x".repeat(900));
        let key = format!("full/{number}");
        match charge(order.clone()).key(&key).call(&runtime).await {
            Ok(_) => ran.push((order, key)),
            Err(CallError::Ledger(failure)) => {
                assert!(matches!(failure.error, LedgerError::Full(_)), "{failure}");
                assert_eq!(effects(&order), 0);
                full += 1;
            }
            Err(CallError::Unknown(_)) => unknown += 1,
            Err(other) => panic!("{other}"),
        }
        if full > 5 {
            break;
        }
    }
    assert!(!ran.is_empty() && full > 5 && unknown <= 1, "{} {full} {unknown}", ran.len());
    for (order, key) in ran {
        assert!(charge(order.clone()).key(&key).call(&runtime).await.unwrap().replayed());
        assert_eq!(effects(&order), 1);
    }
}

#[tokio::test]
async fn damage_is_answered_and_never_a_panic() {
    let folder = Folder::new();
    {
        let runtime = in_file(&folder.ledger()).await;
        for number in 0..30 {
            charge(format!("damage/{number}"))
                .key(format!("damage/{number}"))
                .call(&runtime)
                .await
                .unwrap();
        }
    }
    let good = std::fs::read(folder.ledger()).unwrap();
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for round in 0..40 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => bytes.truncate(random(bytes.len())),
            1 => (0..200)
                .for_each(|_| bytes[random(good.len())] = u8::try_from(random(256)).unwrap()),
            2 => {
                let at = random(bytes.len() / 4_096) * 4_096;
                bytes[at..at + 4_096].fill(0);
            }
            _ => bytes[100..].iter_mut().for_each(|byte| *byte = !*byte),
        }
        let place = Folder::new();
        std::fs::write(place.ledger(), &bytes).unwrap();
        match SqliteLedger::open(place.ledger()).await {
            Ok(ledger) => {
                let runtime = on(ledger);
                for number in 0..30 {
                    let call = charge(format!("damage/{number}"))
                        .key(format!("damage/{number}"))
                        .call(&runtime);
                    let ended = tokio::time::timeout(Duration::from_secs(10), call)
                        .await
                        .expect("it answers");
                    if let Err(CallError::Ledger(failure)) = &ended {
                        assert!(
                            !failure.to_string().contains("is closed"),
                            "the writer is gone: {failure}"
                        );
                    }
                }
                let _ = runtime.ledger().unwrap().list(Query::default()).await;
            }
            Err(error) => assert!(error.to_string().contains("ledger.db"), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_vanishes_is_not_made_anew_under_a_ledger() {
    let folder = Folder::new();
    let runtime = in_file(&folder.ledger()).await;
    charge("vanished".into()).key("vanished").call(&runtime).await.unwrap();
    for file in std::fs::read_dir(&folder.0).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let again = charge("vanished".into()).key("vanished").call(&runtime).await;
    assert!(again.is_err() || again.is_ok_and(|again| again.replayed()));
    for key in ["vanished", "vanished-2"] {
        let new = charge("vanished-2".into()).key(format!("{key}-2")).call(&runtime).await;
        assert!(
            matches!(&new, Err(CallError::Ledger(failure)) if failure.to_string().contains("ledger.db")),
            "{new:?}"
        );
    }
    assert_eq!((effects("vanished"), effects("vanished-2")), (1, 0));
    assert!(!folder.ledger().exists(), "an empty one would let every key run again");
}
