//! Calls on a [`RedisLedger`], beside the two bare durable scripts that any
//! ledger in Redis has to make for a fresh call: with as many bytes in a hash and
//! a list, or with next to none in a hash. They have as many connections.
//!
//! On a server of its own, which syncs every write; without one installed it says
//! so and is skipped.

use std::cell::Cell;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::redis::Script;
use ::redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::Runtime;
use tool_contract::ledger::RedisLedger;
use tool_contract_servers::Redis;

use crate::rounds::{Rounds, aim, timed};
use crate::tools::{ChargeCard, charge_card};

/// Calls in a batch of one caller.
const CALLS: u32 = 50;
/// Callers at once in the other cases, each with one call a batch.
const SOME_CALLERS: u32 = 16;
const MANY_CALLERS: u32 = 256;
const ROUNDS: usize = 41;

/// As many connections as the ledger has.
const CONNECTIONS: usize = 8;
/// About as long as a record and an event are.
const RECORD: usize = 920;
const EVENT: usize = 210;

const LEAST: &str = "two least scripts";
const BARE: &str = "two bare scripts";
const FRESH: &str = "guarded write, fresh";
const REPLAY: &str = "guarded write, replayed";
const BARE_SOME: &str = "two bare scripts, 16 callers";
const SOME: &str = "guarded write, fresh, 16 callers";
const LEAST_MANY: &str = "two least scripts, 256 callers";
const BARE_MANY: &str = "two bare scripts, 256 callers";
const MANY: &str = "guarded write, fresh, 256 callers";
const REPLAY_MANY: &str = "guarded write, replayed, 256 callers";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let Some(server) = Redis::start() else { return Ok(()) };
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let ledger = tokio.block_on(RedisLedger::connect(&server.url()))?;
    let runtime = Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?;
    let client = ::redis::Client::open(server.url())?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(tokio.block_on(client.get_multiplexed_async_connection())?);
    }
    let least = Bare::new(connections.clone(), LEAST_SCRIPT, 0);
    let bare = Bare::new(connections, BARE_SCRIPT, RECORD);
    let batch = Cell::new(0);
    let fresh = |kind: &str, count| {
        batch.set(batch.get() + 1);
        keys(kind, batch.get(), count)
    };
    many(&tokio, keys("kept", 0, MANY_CALLERS), |key| guarded(&runtime, key));
    let bare_many = |bare: &Bare, count| many(&tokio, fresh("bare", count), |key| bare.call(key));
    let guarded_many = |keys| many(&tokio, keys, |key| guarded(&runtime, key));
    let figures = Rounds::default()
        .case(LEAST, CALLS, || one(&tokio, fresh("least", CALLS), |key| least.call(key)))
        .case(BARE, CALLS, || one(&tokio, fresh("bare", CALLS), |key| bare.call(key)))
        .case(FRESH, CALLS, || one(&tokio, fresh("fresh", CALLS), |key| guarded(&runtime, key)))
        .case(REPLAY, CALLS, || one(&tokio, keys("kept", 0, CALLS), |key| guarded(&runtime, key)))
        .case(BARE_SOME, SOME_CALLERS, || bare_many(&bare, SOME_CALLERS))
        .case(SOME, SOME_CALLERS, || guarded_many(fresh("some", SOME_CALLERS)))
        .case(LEAST_MANY, MANY_CALLERS, || bare_many(&least, MANY_CALLERS))
        .case(BARE_MANY, MANY_CALLERS, || bare_many(&bare, MANY_CALLERS))
        .case(MANY, MANY_CALLERS, || guarded_many(fresh("many", MANY_CALLERS)))
        .case(REPLAY_MANY, MANY_CALLERS, || guarded_many(keys("kept", 0, MANY_CALLERS)))
        .run(ROUNDS);
    figures.print("one call on Redis", BARE);
    println!();
    for (callers, case, bare) in [(1, FRESH, BARE), (16, SOME, BARE_SOME), (256, MANY, BARE_MANY)] {
        let what = format!("guarded write on Redis to its two bare scripts, {callers} at once");
        aim(&what, figures.ratio(case, bare), 1.25, "×");
    }
    Ok(())
}

/// Keys that no other batch has.
fn keys(kind: &str, batch: u32, count: u32) -> Vec<String> {
    (0..count).map(|call| format!("{kind}-{batch}-{call}")).collect()
}

fn guarded(runtime: &Runtime, key: String) -> impl Future<Output = ()> + Send + 'static {
    let calling = charge_card(key.clone(), 4_200).key(key).call(runtime);
    async move {
        std::hint::black_box(calling.await).expect("nothing refuses this write");
    }
}

/// Calls of one caller, one after the other.
fn one<F: Future<Output = ()>>(
    tokio: &Tokio,
    keys: Vec<String>,
    call: impl Fn(String) -> F,
) -> Duration {
    timed(|| {
        tokio.block_on(async {
            for key in keys {
                call(key).await;
            }
        });
    })
}

/// One call of each of many callers, at once.
fn many<F: Future<Output = ()> + Send + 'static>(
    tokio: &Tokio,
    keys: Vec<String>,
    call: impl Fn(String) -> F,
) -> Duration {
    timed(|| {
        tokio.block_on(async {
            let calls: Vec<_> = keys.into_iter().map(|key| tokio::spawn(call(key))).collect();
            for call in calls {
                call.await.expect("no call panics");
            }
        });
    })
}

/// The least that is atomic and durable: one hash, written once and changed once.
const LEAST_SCRIPT: &str = "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])";

/// The bytes that a ledger writes, and none of its indexes: a record, and an event
/// in its history.
const BARE_SCRIPT: &str = "redis.call('HSET', KEYS[1], 'record', ARGV[2]) \
                           return redis.call('RPUSH', KEYS[1] .. ':history', ARGV[3])";

/// Two scripts for each call.
struct Bare {
    connections: Vec<MultiplexedConnection>,
    next: AtomicUsize,
    script: Arc<Script>,
    padding: Arc<[String; 2]>,
}

impl Bare {
    fn new(connections: Vec<MultiplexedConnection>, script: &str, record: usize) -> Self {
        let padding = if record == 0 { [0, 0] } else { [record, EVENT] };
        Self {
            connections,
            next: AtomicUsize::new(0),
            script: Arc::new(Script::new(script)),
            padding: Arc::new(padding.map(|length| "x".repeat(length))),
        }
    }

    fn call(&self, key: String) -> impl Future<Output = ()> + Send + 'static {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let mut connection = self.connections[at].clone();
        let (script, padding) = (Arc::clone(&self.script), Arc::clone(&self.padding));
        async move {
            let [record, event] = &*padding;
            let arguments = format!("{{\"cents\":4200,\"order_id\":\"{key}\"}}{record}");
            for field in ["arguments", "result"] {
                let mut call = script.key(&key);
                call.arg(field).arg(&arguments).arg(event);
                let done: ::redis::RedisResult<u32> = call.invoke_async(&mut connection).await;
                done.expect("the server is ours");
            }
        }
    }
}
