//! Many at once, on two ledgers of one schema.

use std::sync::Arc;

use tool_contract_spec::policy::{Limit, Period, Quota, Remint, Scope};

use super::Place;
use crate::ledger::conformance::{call, happened, hash, key, terms};
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::{Admission, Admitted, CellId, Draw, Ledger as _, Settlement, Terms};

async fn two(place: &Place) -> [Arc<PostgresLedger>; 2] {
    [Arc::new(place.open().await), Arc::new(place.open().await)]
}

/// Makes all calls at once, half of them on each ledger; how many claimed.
async fn claims(ledgers: &[Arc<PostgresLedger>; 2], calls: Vec<Admission>) -> usize {
    let callers: Vec<_> = calls
        .into_iter()
        .zip(ledgers.iter().cycle())
        .map(|(request, ledger)| {
            let ledger = Arc::clone(ledger);
            tokio::spawn(async move { ledger.admit(&request).await.unwrap() })
        })
        .collect();
    let mut claims = 0;
    for caller in callers {
        claims += usize::from(matches!(caller.await.unwrap(), Admitted::Claimed(_)));
    }
    claims
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_claimed_once() {
    let Some(place) = Place::new().await else { return };
    let ledgers = two(&place).await;
    for round in 0..20 {
        let id = key(&format!("k{round}"));
        let calls = (1..=32).map(|caller| call(caller, &id)).collect();
        assert_eq!(claims(&ledgers, calls).await, 1);
    }
}

#[tokio::test]
async fn what_is_asked_at_once_is_one_transaction() {
    let Some(place) = Place::new().await else { return };
    let ledger = place.open().await;
    // It reserves fences, for which those that come at once would wait in turn.
    ledger.admit(&call(1, &key("k1"))).await.unwrap();
    let (one, other) = (call(2, &key("k2")), call(3, &key("k3")));
    let admitted = tokio::join!(ledger.admit(&one), ledger.admit(&other));
    assert!(matches!(admitted, (Ok(Admitted::Claimed(_)), Ok(Admitted::Claimed(_)))));
    let written = format!("SELECT count(DISTINCT xmin::text) FROM {}.operations", place.schema);
    let written = place.client.query_one(&written, &[]).await.unwrap();
    assert_eq!(written.get::<_, i64>(0), 2, "the first, and then both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_is_claimed_once_under_many_keys() {
    let Some(place) = Place::new().await else { return };
    let ledgers = two(&place).await;
    for round in 0..20 {
        let calls = (1..=32).map(|caller| Admission {
            hash: hash(round),
            terms: Terms { remint: Remint::Reject, ..terms() }.into(),
            ..call(caller, &key(&format!("k{round}-{caller}")))
        });
        assert_eq!(claims(&ledgers, calls.collect()).await, 1);
    }
}

pub(super) fn per_user(user: usize) -> Draw {
    let limit = Limit { scope: Scope::User, quota: Quota::Rate(1_000_000, Period::Second) };
    let subject = Some(format!("user-{user}").into());
    Draw::now(CellId { over: "tool".into(), limit, tenant: None, subject })
}

/// Keys, intents and limits that cross: no batch waits for another that waits for
/// it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_do_not_wait_for_each_other() {
    let Some(place) = Place::new().await else { return };
    let ledgers = two(&place).await;
    let callers: Vec<_> = (0..64_usize)
        .map(|caller| {
            let ledger = Arc::clone(&ledgers[caller % 2]);
            tokio::spawn(async move {
                for round in 0..20_usize {
                    let mix = caller * 31 + round * 17;
                    let request = Admission {
                        hash: hash(u8::try_from(mix % 5).unwrap()),
                        draws: vec![per_user(mix % 3), per_user(3 - mix % 2)],
                        ..call(u128::try_from(caller).unwrap(), &key(&format!("k{}", mix % 41)))
                    };
                    let Admitted::Claimed(claim) = ledger.admit(&request).await.unwrap() else {
                        continue;
                    };
                    let settlement = Settlement {
                        id: request.id,
                        fence: claim.fence,
                        used: 1,
                        verdict: happened("7"),
                        attempts: Vec::new(),
                    };
                    ledger.settle(&settlement).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let row = place.client.query_one(deadlocks, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// Rows of one batch were written by one transaction.
#[tokio::test]
async fn what_waits_shares_a_round_trip() {
    let Some(place) = Place::new().await else { return };
    let ledger = Arc::new(place.options().pool(1).batch(64).connect(&place.url).await.unwrap());
    assert!(matches!(ledger.admit(&call(1, &key("warm"))).await, Ok(Admitted::Claimed(_))));
    let calls: Vec<_> = (0..200).map(|number| call(1, &key(&format!("k{number}")))).collect();
    let pair = [Arc::clone(&ledger), ledger];
    assert_eq!(claims(&pair, calls).await, 200);
    let count = format!("SELECT count(DISTINCT xmin::text) FROM {}.operations", place.schema);
    let transactions: i64 = place.client.query_one(&count, &[]).await.unwrap().get(0);
    assert!(transactions <= 1 + 8, "{transactions} transactions");
}
