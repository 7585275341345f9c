//! Making the schema, and finding it.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::policy::{Limit, Period, Quota, Scope};

use super::Place;
use crate::ledger::conformance::{call, hash, key, terms};
use crate::ledger::postgres::store::PostgresStore;
use crate::ledger::shared::{Exchange, Exchanged, Put, Store as _};
use crate::ledger::{
    Admitted, CellId, Draw, Fence, Ledger as _, LedgerError, Record, State, Timestamp,
};
use crate::testing::ManualClock;

async fn refused(place: &Place, url: &str) -> String {
    match place.options().connect(url).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

/// The URL as another user.
fn of(place: &Place, user: &str) -> String {
    place.url.replace("//tool@", &format!("//{user}:sesame@"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_make_it_at_once() {
    let Some(place) = Place::new().await else { return };
    let place = Arc::new(place);
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let place = Arc::clone(&place);
            tokio::spawn(async move { place.open().await })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_one_is_left_alone() {
    let Some(place) = Place::new().await else { return };
    drop(place.open().await);
    place.run(&format!("UPDATE {}.meta SET schema_version = 1000", place.schema)).await;
    let told = refused(&place, &place.url).await;
    assert!(told.contains("schema version 1000") && told.contains(&place.schema), "{told}");
}

#[tokio::test]
async fn a_role_that_may_make_nothing_may_use_it() {
    let Some(place) = Place::new().await else { return };
    let (schema, role) = (&place.schema, format!("role_{}", place.schema));
    place.run(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = of(&place, &role);
    let told = refused(&place, &url).await;
    assert!(told.contains("permission denied") && told.contains(schema), "{told}");
    assert!(!told.contains("sesame"), "{told}");
    drop(place.open().await);
    place
        .run(&format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
        ))
        .await;
    let ledger = place.options().connect(&url).await.unwrap();
    assert!(matches!(ledger.admit(&call(1, &key("k"))).await, Ok(Admitted::Claimed(_))));
}

#[tokio::test]
async fn other_isolation_is_refused() {
    let Some(place) = Place::new().await else { return };
    let role = format!("role_{}", place.schema);
    place
        .run(&format!(
            "CREATE ROLE {role} LOGIN SUPERUSER; \
             ALTER ROLE {role} SET default_transaction_isolation = 'repeatable read'"
        ))
        .await;
    let told = refused(&place, &of(&place, &role)).await;
    assert!(told.contains("REPEATABLE READ"), "{told}");
}

#[tokio::test]
async fn names_that_are_none_and_servers_that_are_not_there_are_refused() {
    let Some(place) = Place::new().await else { return };
    for name in ["", "Upper", "1st", "pg_own", "a b", "a\"; DROP", &"x".repeat(64)] {
        let opened = place.options().schema(name).connect(&place.url).await;
        assert!(opened.is_err(), "{name}");
    }
    let told = refused(&place, "postgres://ada:sesame@127.0.0.1:1/shop").await;
    assert!(told.contains("`shop` on 127.0.0.1:1") && !told.contains("sesame"), "{told}");
    let told = refused(&place, &format!("{}_that_is_not", place.url)).await;
    assert!(told.contains("does not exist"), "{told}");
    #[cfg(not(feature = "postgres-tls"))]
    {
        let told = refused(&place, &format!("{}?sslmode=require", place.url)).await;
        assert!(told.contains("postgres-tls"), "{told}");
    }
}

#[tokio::test]
async fn idle_cells_are_dropped() {
    let Some(place) = Place::new().await else { return };
    let ledger = place.open().await;
    place.hold_time().await;
    for quota in [Quota::Count(2), Quota::Rate(2, Period::Second)] {
        let limit = Limit { scope: Scope::Tool, quota };
        let cell = CellId { over: "tool".into(), limit, tenant: None, subject: None };
        assert_eq!(ledger.draw(vec![Draw::now(cell)]).await, Ok(Ok(())));
    }
    let count = format!("SELECT count(*) FROM {}.cells", place.schema);
    for (passes, left) in [(0, 2), (500, 1)] {
        place.pass()(Duration::from_millis(passes)).await;
        assert_eq!(ledger.prune(1).await, Ok(0));
        let row = place.client.query_one(&count, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), left);
    }
}

/// A transaction that commits without waiting for the disk is stopped by this
/// trigger, which runs when it commits.
const GUARD: &str = "
    CREATE FUNCTION {s}.guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('synchronous_commit') <> 'on' THEN RAISE 'it does not wait'; END IF;
        RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER guard AFTER INSERT OR UPDATE ON {s}.operations
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.guard();
    CREATE CONSTRAINT TRIGGER guard AFTER UPDATE ON {s}.meta
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.guard();";

#[tokio::test]
async fn it_waits_for_the_disk_where_the_server_would_not() {
    let Some(place) = Place::new().await else { return };
    let role = format!("role_{}", place.schema);
    drop(place.open().await);
    place.run(&GUARD.replace("{s}", &place.schema)).await;
    for weak in ["off", "local", "remote_write"] {
        place
            .run(&format!(
                "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN SUPERUSER; \
                 ALTER ROLE {role} SET synchronous_commit = {weak}"
            ))
            .await;
        let ledger = place.options().connect(&of(&place, &role)).await.unwrap();
        let admitted = ledger.admit(&call(1, &key(weak))).await;
        assert!(matches!(admitted, Ok(Admitted::Claimed(_))), "{weak}: {admitted:?}");
    }
}

/// A proposal of a record with this fence.
fn proposal(name: &str, fence: u64, at: Timestamp) -> Exchange {
    let record = Record {
        hash: hash(1),
        arguments: "{}".into(),
        state: State::Expired,
        fence: Fence(fence),
        nonce: crate::ledger::Nonce(1),
        holder: crate::ledger::Holder(1),
        attempts: 0,
        reserved: 0,
        terms: terms().into(),
        slots: Vec::new(),
        approval: None,
        escalation: None,
        doubt: None,
        correlation_id: None,
        created_at: at,
        changed_at: at,
        chain: crate::ledger::Chain::default(),
    };
    let put = Put {
        expected: 0,
        twins: None,
        at,
        record,
        events: Vec::new(),
        draws: Vec::new(),
        holds: Vec::new(),
    };
    Exchange { id: key(name), hash: None, put: Some(put) }
}

#[tokio::test]
async fn one_request_that_cannot_be_fails_alone() {
    let Some(place) = Place::new().await else { return };
    let store = PostgresStore::connect(place.options().pool(1), &place.url).await.unwrap();
    place.hold_time().await;
    let table = format!("{}.operations", place.schema);
    place.run(&format!("ALTER TABLE {table} ADD CHECK (key <> 'bad')")).await;
    let at = crate::clock::Clock::now(&*place.clock as &ManualClock);
    let (first, bad, good, last) = tokio::join!(
        store.exchange(proposal("first", 1, at)),
        store.exchange(proposal("bad", 4, at)),
        store.exchange(proposal("good", 2, at)),
        store.exchange(proposal("last", 3, at)),
    );
    for answer in [first, good, last] {
        assert!(matches!(answer, Ok(Exchanged::Put { .. })), "{answer:?}");
    }
    assert!(matches!(bad, Err(LedgerError::Unavailable(_))), "{bad:?}");
}

#[tokio::test]
async fn what_a_column_cannot_hold_is_not_sent() {
    let Some(place) = Place::new().await else { return };
    let store = PostgresStore::connect(place.options(), &place.url).await.unwrap();
    let refused = store.exchange(proposal("large", u64::MAX, Timestamp::ZERO)).await;
    let error = refused.expect_err("no bigint is so large").to_string();
    assert!(error.contains("nothing was sent"), "{error}");
}
