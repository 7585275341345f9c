//! Behind a pooler that gives each request another session.

use std::sync::Arc;

use tokio_postgres::error::SqlState;
use tool_contract_servers::PgBouncer;

use super::network::{LONG, claim, success};
use super::{Place, client, server};
use crate::ledger::conformance::{self, Subject, call, key};
use crate::ledger::postgres::PostgresOptions;
use crate::ledger::postgres::request::PARAMETERS;
use crate::ledger::postgres::schema::within;
use crate::ledger::{Admitted, Ledger as _, StateName};

/// Fewer sessions than connections, so that these are mixed up.
const SESSIONS: u32 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let Some(server) = server() else { return };
    let Some(pooler) = PgBouncer::start(server, SESSIONS) else { return };
    conformance::run(|| async {
        let place = Place::new().await.expect("a server");
        let ledger = place.options().connect(&server.url_at(pooler.port())).await.unwrap();
        place.hold_time().await;
        Subject::new(ledger, place.pass())
    })
    .await;
}

/// What is prepared in one session is used in another, until that is noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_prepares_nothing_once_its_sessions_are_mixed_up() {
    let Some(server) = server() else { return };
    let Some(pooler) = PgBouncer::start(server, SESSIONS) else { return };
    let place = Place::new().await.expect("a server");
    let ledger = place.options().batch(1).connect(&server.url_at(pooler.port())).await.unwrap();
    assert!(ledger.0.store().link.prepares());
    let ledger = Arc::new(ledger);
    let calls: Vec<_> = (0..64)
        .map(|number| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.admit(&call(1, &key(&format!("k{number}")))).await })
        })
        .collect();
    for admitted in calls {
        assert!(matches!(admitted.await.unwrap(), Ok(Admitted::Claimed(_))));
    }
    assert!(!ledger.0.store().link.prepares());
}

/// A process that died leaves what it prepared in the pooler's sessions.
#[tokio::test]
async fn what_others_left_in_its_sessions_is_no_matter() {
    let Some(server) = server() else { return };
    let Some(pooler) = PgBouncer::start(server, 1) else { return };
    let url = server.url_at(pooler.port());
    let left: Vec<_> = (0..5_000).map(|number| format!("PREPARE s{number} AS SELECT 1")).collect();
    client(&url).await.batch_execute(&left.join(";")).await.unwrap();
    let place = Place::new().await.expect("a server");
    let ledger = place.options().connect(&url).await.unwrap();
    assert!(matches!(ledger.admit(&call(1, &key("k"))).await, Ok(Admitted::Claimed(_))));
    assert!(!ledger.0.store().link.prepares());
}

#[tokio::test]
async fn it_prepares_where_its_sessions_are_its_own() {
    let Some(place) = Place::new().await else { return };
    let ledger = place.open().await;
    for number in 0..3 {
        let admitted = ledger.admit(&call(1, &key(&format!("k{number}")))).await;
        assert!(matches!(admitted, Ok(Admitted::Claimed(_))));
    }
    assert!(ledger.0.store().link.prepares());
}

/// Two ledgers may give their statements the same name: what was meant for one must not
/// be carried out by the other.
#[tokio::test]
async fn a_statement_of_another_ledger_does_nothing() {
    let Some(place) = Place::new().await else { return };
    drop(place.open().await);
    let rest = ["NULL"; PARAMETERS - 1].join(", ");
    let exchange =
        within(&place.schema, &format!("SELECT tool_contract.exchange('another', {rest})"));
    let refused = client(&place.url).await.batch_execute(&exchange).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::INVALID_SQL_STATEMENT_NAME), "{refused:?}");
}

#[tokio::test]
async fn it_looks_again_and_again_for_what_it_cannot_hear() {
    let Some(server) = server() else { return };
    let Some(pooler) = PgBouncer::start(server, 4) else { return };
    let place = Place::new().await.expect("a server");
    let ledger = PostgresOptions::new().schema(&place.schema).pool(2);
    let ledger = ledger.connect(&server.url_at(pooler.port())).await.unwrap();
    let elsewhere = place.open().await;
    let held = claim(&elsewhere, &call(1, &key("k"))).await;
    assert!(!ledger.0.store().listener.hears().await, "nothing is to be heard through a pooler");
    let waiting = ledger.changed(key("k"), LONG);
    let (settled, woken) = tokio::join!(
        async { elsewhere.settle(&success("k", held.fence)).await },
        tokio::time::timeout(LONG / 2, waiting),
    );
    assert!(settled.is_ok() && woken.is_ok());
    assert_eq!(ledger.find(key("k")).await.unwrap().unwrap().state.name(), StateName::Succeeded);
}
