//! A saga's process dies at each use of a ledger that many machines share. Two others
//! go on with it at once: one does, and it is finished or undone.
//!
//! No point is written down here: an order dies at the first use of its ledger, at the
//! second, and so on until one comes through untouched.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod order;

use std::sync::Arc;

use tokio::task::JoinSet;
use tool_contract::sagas::Outcome;
use tool_contract::testing::{Fault, FaultyLedger};
use tool_contract::{CallError, Completed, Runtime};
use tool_contract_servers::{Postgres, Redis};
use tool_contract_tests::shared::{LEASE, open};

use self::order::{Books, Charge, Fulfil, NONE, Reserve, Ship, Tell, WHOLE, fulfil};

/// How many orders die at once.
const AT_ONCE: usize = 16;
/// How often a process is told that it is not known yet what an order came to.
const PATIENCE: usize = 3;
/// More than any order has points.
const MOST: usize = 200;

/// A ledger, the world, and two processes that live on.
struct Site {
    address: String,
    books: Books,
    heirs: [Runtime; 2],
}

async fn runtime(
    address: &str,
    books: &Books,
    fault: Option<(usize, Fault)>,
) -> (Runtime, FaultyLedger) {
    let ledger = FaultyLedger::shared(open(address).await.unwrap());
    if let Some((nth, fault)) = fault {
        ledger.fail_nth(nth, fault);
    }
    let builder = Runtime::builder().ledger(ledger.clone()).lease(LEASE).state(books.clone());
    let builder = builder.tool::<Fulfil>().tool::<Reserve>().tool::<Charge>();
    (builder.tool::<Ship>().tool::<Tell>().build().unwrap(), ledger)
}

impl Site {
    async fn at(address: String) -> Arc<Self> {
        let books = Books::default();
        let heirs =
            [runtime(&address, &books, None).await.0, runtime(&address, &books, None).await.0];
        Arc::new(Self { address, books, heirs })
    }

    /// A process that begins an order, and dies at the `nth` use of its ledger; says
    /// whether it came to that.
    fn dies(&self, order: &str, nth: usize, fault: Fault) -> bool {
        let process = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        process.block_on(async {
            let (runtime, ledger) = runtime(&self.address, &self.books, Some((nth, fault))).await;
            tokio::select! {
                biased;
                () = ledger.hangs() => {}
                _ = fulfil(order.to_owned()).key(order).call(&runtime) => {}
            }
            ledger.struck().is_some()
        })
    }

    /// Two processes go on with it: both hear the same, and the books agree.
    async fn is_inherited(&self, order: &str) {
        let [one, two] = &self.heirs;
        let (one, two) = tokio::join!(goes_on(one, order), goes_on(two, order));
        let told = [one, two];
        let ran = told.iter().filter(|told| !told.replayed()).count();
        assert!(ran <= 1, "{order}: {told:?}");
        let expected = if order.starts_with("nowhere") { NONE } else { WHOLE };
        for told in told {
            assert_eq!(told.into_inner().finished().is_ok(), expected == WHOLE, "{order}");
        }
        assert_eq!(self.books.account(order), expected, "{order}");
    }
}

/// What a process hears that goes on with an order. A server that stands still for a
/// moment may let it lose its claim, too.
async fn goes_on(runtime: &Runtime, order: &str) -> Completed<Outcome<()>> {
    let mut heard = Vec::new();
    while heard.len() < PATIENCE {
        match fulfil(order.to_owned()).key(order).call(runtime).await {
            Ok(completed) => return completed,
            Err(CallError::Unknown(unknown)) => heard.push(unknown.to_string()),
            Err(error) => panic!("{order}: {error}"),
        }
    }
    panic!("{order}: {heard:?}")
}

/// Orders die at every point; says how many there were.
async fn every_point(site: &Arc<Site>, way: &str, fault: Fault) -> usize {
    for begin in (0..MOST).step_by(AT_ONCE) {
        let mut cases = JoinSet::new();
        for nth in begin..begin + AT_ONCE {
            let (site, order) = (Arc::clone(site), format!("{way}/{fault:?}/{nth}"));
            cases.spawn(async move {
                let (dying, of) = (Arc::clone(&site), order.clone());
                let died = tokio::task::spawn_blocking(move || dying.dies(&of, nth, fault));
                let died = died.await.unwrap();
                site.is_inherited(&order).await;
                died
            });
        }
        let died = cases.join_all().await.into_iter().filter(|died| *died).count();
        if died < AT_ONCE {
            return begin + died;
        }
    }
    panic!("{way} has no end of points for {fault:?}")
}

async fn check(address: String) {
    let site = Site::at(address).await;
    let mut points = 0;
    for way in ["somewhere", "nowhere"] {
        for fault in [Fault::Hang, Fault::ReplyHang] {
            let count = every_point(&site, way, fault).await;
            assert!(count > 8, "{way}: {count}");
            points += count;
        }
    }
    println!("{points} points");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    let Some(server) = Postgres::start() else { return tool_contract_servers::skip("postgres") };
    check(server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis() {
    let Some(server) = Redis::start() else { return tool_contract_servers::skip("redis-server") };
    check(server.url()).await;
}
