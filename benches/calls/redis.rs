//! Calls on a [`RedisLedger`], beside the two bare durable scripts that any
//! ledger in Redis has to make for a fresh call.
//!
//! On a server of its own, which syncs every write; without one installed it says
//! so and is skipped.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

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

const BARE: &str = "two bare scripts";
const FRESH: &str = "guarded write, fresh";
const REPLAY: &str = "guarded write, replayed";
const BARE_SOME: &str = "two bare scripts, 16 callers";
const SOME: &str = "guarded write, fresh, 16 callers";
const BARE_MANY: &str = "two bare scripts, 256 callers";
const MANY: &str = "guarded write, fresh, 256 callers";
const REPLAY_MANY: &str = "guarded write, replayed, 256 callers";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let Some(server) = Redis::start() else { return Ok(()) };
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let ledger = tokio.block_on(RedisLedger::connect(&server.url()))?;
    let runtime = Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?;
    let client = ::redis::Client::open(server.url())?;
    let bare = Bare(tokio.block_on(client.get_multiplexed_async_connection())?);
    let batch = Cell::new(0);
    let fresh = |kind: &str, count| {
        batch.set(batch.get() + 1);
        keys(kind, batch.get(), count)
    };
    many(&tokio, keys("kept", 0, MANY_CALLERS), |key| guarded(&runtime, key));
    let bare_many = |count| many(&tokio, fresh("bare", count), |key| bare.call(key));
    let guarded_many = |keys| many(&tokio, keys, |key| guarded(&runtime, key));
    let figures = Rounds::default()
        .case(BARE, CALLS, || one(&tokio, fresh("bare", CALLS), |key| bare.call(key)))
        .case(FRESH, CALLS, || one(&tokio, fresh("fresh", CALLS), |key| guarded(&runtime, key)))
        .case(REPLAY, CALLS, || one(&tokio, keys("kept", 0, CALLS), |key| guarded(&runtime, key)))
        .case(BARE_SOME, SOME_CALLERS, || bare_many(SOME_CALLERS))
        .case(SOME, SOME_CALLERS, || guarded_many(fresh("some", SOME_CALLERS)))
        .case(BARE_MANY, MANY_CALLERS, || bare_many(MANY_CALLERS))
        .case(MANY, MANY_CALLERS, || guarded_many(fresh("many", MANY_CALLERS)))
        .case(REPLAY_MANY, MANY_CALLERS, || guarded_many(keys("kept", 0, MANY_CALLERS)))
        .run(ROUNDS);
    figures.print("one call on Redis", BARE);
    println!();
    aim("guarded write on Redis to its two bare scripts", figures.ratio(FRESH, BARE), 1.5, "×");
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
struct Bare(MultiplexedConnection);

impl Bare {
    fn call(&self, key: String) -> impl Future<Output = ()> + Send + 'static {
        let mut connection = self.0.clone();
        async move {
            let arguments = format!("{{\"cents\":4200,\"order_id\":\"{key}\"}}");
            for field in ["arguments", "result"] {
                ::redis::cmd("EVAL")
                    .arg("return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])")
                    .arg(1)
                    .arg(&key)
                    .arg(field)
                    .arg(&arguments)
                    .exec_async(&mut connection)
                    .await
                    .expect("the server is ours");
            }
        }
    }
}
