//! What a ledger in PostgreSQL does.

mod network;
mod plans;
mod pooler;
mod racing;
mod schema;
#[cfg(feature = "postgres-tls")]
mod tls;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use tool_contract_servers::Postgres;

use super::store::PostgresStore;
use super::{PostgresLedger, PostgresOptions};
use crate::clock::Clock as _;
use crate::ledger::conformance::{self, Subject};
use crate::ledger::shared::tests::differential::{Other, alike};
use crate::ledger::tests::differential::{Server, with_server};
use crate::ledger::{BoxFuture, Timestamp};
use crate::testing::ManualClock;

/// The one server of these tests; its keeper stops it when they end.
fn server() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).as_ref()
}

/// A connection of somebody else's.
async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A schema of its own, and a clock that the test moves.
struct Place {
    url: String,
    schema: String,
    clock: Arc<ManualClock>,
    client: Arc<Client>,
}

impl Place {
    async fn new() -> Option<Self> {
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let url = server()?.url();
        let schema = format!("place_{}", PLACES.fetch_add(1, Ordering::Relaxed));
        let clock = Arc::new(ManualClock::new());
        let client = Arc::new(client(&url).await);
        Some(Self { url, schema, clock, client })
    }

    fn options(&self) -> PostgresOptions {
        PostgresLedger::options().schema(&self.schema).pool(4).clock(Arc::clone(&self.clock) as _)
    }

    async fn open(&self) -> PostgresLedger {
        self.options().connect(&self.url).await.unwrap()
    }

    /// Makes the server show the manual clock.
    async fn hold_time(&self) {
        let Self { schema, clock, .. } = self;
        let now = clock.now().0;
        self.run(&format!(
            "CREATE TABLE {schema}.clock (ms bigint); INSERT INTO {schema}.clock VALUES ({now}); \
             CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE \
             AS 'SELECT ms FROM {schema}.clock'"
        ))
        .await;
    }

    /// Tells the server what time it is.
    fn tell(&self) -> Box<dyn Fn(Timestamp) -> BoxFuture<'static, ()> + Send + Sync> {
        let (client, schema) = (Arc::clone(&self.client), self.schema.clone());
        Box::new(move |now| {
            let set = format!("UPDATE {schema}.clock SET ms = {}", now.0);
            let client = Arc::clone(&client);
            Box::pin(async move { client.batch_execute(&set).await.unwrap() })
        })
    }

    fn pass(&self) -> impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + use<> {
        let (clock, tell) = (Arc::clone(&self.clock), self.tell());
        move |span| {
            clock.advance(span);
            tell(clock.now())
        }
    }

    async fn run(&self, statements: &str) {
        self.client.batch_execute(statements).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    if server().is_none() {
        return;
    }
    conformance::run(|| async {
        let place = Place::new().await.expect("a server");
        let ledger = place.open().await;
        place.hold_time().await;
        Subject::new(ledger, place.pass())
    })
    .await;
}

#[test]
fn it_is_the_store_that_was_described() {
    if server().is_none() {
        return;
    }
    alike(48, || async {
        let place = Place::new().await.expect("a server");
        let store = PostgresStore::connect(place.options(), &place.url).await.unwrap();
        place.hold_time().await;
        Other {
            store,
            clock: Arc::clone(&place.clock),
            tell: place.tell(),
            largest: i64::MAX.unsigned_abs(),
            begins_with_one: true,
            drops_idle_cells: true,
        }
    });
}

#[test]
fn it_answers_as_all_ledgers_do() {
    if server().is_none() {
        return;
    }
    with_server(64, |clock| async {
        let place = Place::new().await.expect("a server");
        let options = place.options().clock(Arc::clone(&clock));
        let ledger = Box::new(options.connect(&place.url).await.unwrap());
        place.hold_time().await;
        Server { ledger, clock, tell: place.tell() }
    });
}
