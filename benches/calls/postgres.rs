//! Calls on a [`PostgresLedger`], beside two bare durable transactions of prepared
//! statements: the least that is durable (one row, inserted and updated), and the
//! same writes that the ledger makes (its row, its indexes).
//!
//! On a server of its own; where none is installed it says so and is skipped.

use std::cell::Cell;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime as Tokio};
use tokio_postgres::{Client, NoTls, Statement};
use tool_contract::Runtime;
use tool_contract::ledger::PostgresLedger;
use tool_contract_servers::Postgres;

use crate::rounds::{Rounds, timed};
use crate::tools::{ChargeCard, charge_card};

/// Calls in a batch of one caller, and in one of many.
const CALLS: u32 = 50;
const SOME: u32 = 16;
const MANY: u32 = 256;
const ROUNDS: usize = 21;

const LEAST: &str = "two bare transactions, the least";
const BARE: &str = "two bare transactions, the same writes";
const BARE_SOME: &str = "two bare transactions, the same writes, 16 callers";
const BARE_MANY: &str = "two bare transactions, the same writes, 256 callers";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let Some(server) = Postgres::start() else { return Ok(()) };
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let ledger = tokio.block_on(PostgresLedger::connect(&server.url()))?;
    let runtime = Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?;
    let least = tokio.block_on(Bare::connect(&server.url(), &LEAST_WRITES))?;
    let bare = tokio.block_on(Bare::connect(&server.url(), &SAME_WRITES))?;
    let batch = Cell::new(0);
    let fresh = |count| {
        batch.set(batch.get() + 1);
        (0..count).map(|call| format!("{}-{call}", batch.get())).collect::<Vec<_>>()
    };
    let kept = |count| (0..count).map(|call| format!("kept-{call}")).collect::<Vec<_>>();
    guarded(&tokio, &runtime, kept(MANY), MANY);
    let figures = Rounds::default()
        .case(LEAST, CALLS, || least.calls(&tokio, fresh(CALLS), 1))
        .case(BARE, CALLS, || bare.calls(&tokio, fresh(CALLS), 1))
        .case("guarded write, fresh", CALLS, || guarded(&tokio, &runtime, fresh(CALLS), 1))
        .case("guarded write, replayed", CALLS, || guarded(&tokio, &runtime, kept(CALLS), 1))
        .case(BARE_SOME, SOME, || bare.calls(&tokio, fresh(SOME), SOME))
        .case("guarded write, fresh, 16 callers", SOME, || {
            guarded(&tokio, &runtime, fresh(SOME), SOME)
        })
        .case("guarded write, replayed, 16 callers", SOME, || {
            guarded(&tokio, &runtime, kept(SOME), SOME)
        })
        .case(BARE_MANY, MANY, || bare.calls(&tokio, fresh(MANY), MANY))
        .case("guarded write, fresh, 256 callers", MANY, || {
            guarded(&tokio, &runtime, fresh(MANY), MANY)
        })
        .case("guarded write, replayed, 256 callers", MANY, || {
            guarded(&tokio, &runtime, kept(MANY), MANY)
        })
        .run(ROUNDS);
    figures.print("one call on PostgreSQL", BARE);
    for (what, case, base) in [
        ("16", "guarded write, fresh, 16 callers", BARE_SOME),
        ("256", "guarded write, fresh, 256 callers", BARE_MANY),
    ] {
        println!("- fresh, {what} callers, to as many bare: {:.2}×", figures.ratio(case, base));
    }
    Ok(())
}

/// Calls of so many callers at once.
fn guarded(tokio: &Tokio, runtime: &Runtime, keys: Vec<String>, callers: u32) -> Duration {
    let call = |key: String| {
        let calling = charge_card(key.clone(), 4_200).key(key).call(runtime);
        async move { drop(std::hint::black_box(calling.await).expect("nothing refuses this write")) }
    };
    timed(|| each(tokio, keys, callers, call))
}

/// Makes a call of each key: one after another, or all at once.
fn each<F: Future<Output = ()> + Send + 'static>(
    tokio: &Tokio,
    keys: Vec<String>,
    callers: u32,
    call: impl Fn(String) -> F,
) {
    tokio.block_on(async {
        if callers == 1 {
            for key in keys {
                call(key).await;
            }
            return;
        }
        let calls: Vec<_> = keys.into_iter().map(|key| tokio::spawn(call(key))).collect();
        for call in calls {
            call.await.expect("no call panics");
        }
    });
}

/// What two bare transactions write.
struct Writes {
    table: &'static str,
    insert: &'static str,
    update: &'static str,
}

const LEAST_WRITES: Writes = Writes {
    table: "CREATE TABLE IF NOT EXISTS least \
        (key text PRIMARY KEY, arguments text NOT NULL, result text)",
    insert: "INSERT INTO least (key, arguments) VALUES ($1, $2)",
    update: "UPDATE least SET result = $2 WHERE key = $1",
};

const SAME_WRITES: Writes = Writes {
    table: "CREATE TABLE IF NOT EXISTS same (LIKE tool_contract.operations INCLUDING ALL)",
    insert: "INSERT INTO same (tenant, tool, key, version, record, state, hash, intent, fence, changed_at, \
        history) VALUES ('', 'charge_card', $1, 1, $2, 'running', sha256(convert_to($1, 'UTF8')), \
        hashtextextended($1, 0), 1, 1, \
        ARRAY[left($2, 160)])",
    update: "UPDATE same SET version = 2, record = $2, state = 'succeeded', changed_at = 2, \
        expires_at = 3, history = history || left($2, 160) \
        WHERE tenant = '' AND tool = 'charge_card' AND key = $1 AND version = 1",
};

/// As long as the record of a call.
const RECORD: usize = 900;

/// Bare transactions, each over one of as many connections as the ledger has.
struct Bare(Vec<Arc<Session>>, Cell<usize>);

struct Session {
    client: Client,
    insert: Statement,
    update: Statement,
}

impl Bare {
    async fn connect(url: &str, writes: &Writes) -> Result<Self, Box<dyn Error>> {
        let mut sessions = Vec::new();
        for _ in 0..SOME {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(writes.table).await?;
            let (insert, update) = (client.prepare(writes.insert), client.prepare(writes.update));
            let (insert, update) = (insert.await?, update.await?);
            sessions.push(Arc::new(Session { client, insert, update }));
        }
        Ok(Self(sessions, Cell::new(0)))
    }

    fn calls(&self, tokio: &Tokio, keys: Vec<String>, callers: u32) -> Duration {
        timed(|| {
            each(tokio, keys, callers, |key| {
                self.1.set(self.1.get() + 1);
                let session = Arc::clone(&self.0[self.1.get() % self.0.len()]);
                async move { session.call(&key).await.expect("the server is ours") }
            });
        })
    }
}

impl Session {
    async fn call(&self, key: &str) -> Result<(), tokio_postgres::Error> {
        let record = format!("{{\"cents\":4200,\"order_id\":\"{key}\",{:RECORD$}}}", "");
        self.client.execute(&self.insert, &[&key, &record]).await?;
        self.client.execute(&self.update, &[&key, &record]).await?;
        Ok(())
    }
}
