//! A process that the tests start, and kill.
//!
//! `order_worker <ledger> <service> <since> <ahead> <role> [<nth> <fault>]` says
//! `ready`, waits for a line on stdin, does what its role says, and says as JSON what
//! came of it. Its clock began at `since`, runs three times as fast as yours, as that
//! of every worker does, and is `ahead` by so many seconds.
//!
//! At the `nth` use of its ledger, `fault` happens; if that is one that hangs, it says
//! `at <step>` and stands still, to be killed.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use order_shop::client::Shop;
use order_shop::order::{Order, PlaceOrder, place_order};
use order_shop::tools::{ChargeCard, ReserveStock, Ship};
use serde_json::{Value, json};
use tool_contract::clock::Clock;
use tool_contract::ledger::{
    BoxFuture, Ledger, LedgerError, Query, Resolution, Resolved, SqliteLedger, StateName, Timestamp,
};
use tool_contract::testing::{Fault, FaultyLedger};
use tool_contract::{CallError, Response, Runtime, Status};

/// How much faster than ours its time goes. Were it more, what a loaded machine holds up
/// for a moment would be called a timeout.
const SPEED: u32 = 3;

/// A clock that all workers share, as they share the machine's.
struct Fast {
    since: u64,
    ahead: Duration,
    start: Instant,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        let since = now.saturating_sub(Duration::from_millis(self.since));
        let shown = Duration::from_millis(self.since) + since * SPEED + self.ahead;
        Timestamp(u64::try_from(shown.as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed() * SPEED
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span / SPEED))
    }

    fn alarm(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.pause(span)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ledger, service, since, ahead, role, blow @ ..] = &*arguments else {
        return Err("<ledger> <service> <since> <ahead> <role> [<nth> <fault>]".into());
    };
    let ahead = Duration::from_secs(ahead.parse()?);
    let clock: Arc<dyn Clock> =
        Arc::new(Fast { since: since.parse()?, ahead, start: Instant::now() });
    let ledger = SqliteLedger::options().clock(Arc::clone(&clock)).open(ledger).await?;
    let ledger = FaultyLedger::new(ledger);
    if let [nth, fault] = blow {
        ledger.fail_nth(nth.parse()?, read_fault(fault)?);
    }
    let runtime = Runtime::builder()
        .clock(clock)
        .ledger(ledger.clone())
        .state(Shop::at(service.parse()?))
        .tool::<PlaceOrder>()
        .tool::<ReserveStock>()
        .tool::<ChargeCard>()
        .tool::<Ship>()
        .build()?;
    say("ready")?;
    io::stdin().read_line(&mut String::new())?;
    tokio::select! {
        biased;
        () = ledger.hangs() => stand_still(&ledger),
        said = act(role, &runtime) => {
            let mut said = said?;
            runtime.drain().await;
            said["struck"] = json!(ledger.struck().map(|step| format!("{step:?}")));
            said["queue"] = json!(queue(&**ledger.inner()).await?);
            say(&said.to_string())
        }
    }
}

fn read_fault(word: &str) -> Result<Fault, String> {
    let faults = [Fault::Lost, Fault::ReplyLost, Fault::Hang, Fault::ReplyHang];
    let named = faults.into_iter().find(|fault| format!("{fault:?}") == word);
    named.ok_or_else(|| format!("no fault {word}"))
}

fn say(line: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// Nothing of this process goes on, until it is killed.
fn stand_still(ledger: &FaultyLedger) -> Result<(), Box<dyn Error>> {
    say(&ledger.struck().map_or_else(String::new, |step| format!("at {step:?}")))?;
    loop {
        std::thread::park();
    }
}

async fn act(role: &str, runtime: &Runtime) -> Result<Value, Box<dyn Error>> {
    match role {
        "place" => Ok(place(runtime).await),
        "recover" => recover(runtime).await,
        "resolve" => resolve(runtime).await,
        "look" => Ok(json!({})),
        other => Err(format!("no role {other}").into()),
    }
}

async fn place(runtime: &Runtime) -> Value {
    let (id, item) = ("order-7".to_owned(), "lamp".to_owned());
    let order = Order { id, item, quantity: 2, cents: 4_200 };
    let (ended, why) = match place_order(order).key("order-7").call(runtime).await {
        Ok(completed) => match completed.into_inner().finished() {
            Ok(parcel) => ("finished", parcel.parcel_id),
            Err(undone) => ("undone", undone.to_string()),
        },
        Err(CallError::Unknown(unknown)) => ("rests", unknown.to_string()),
        Err(error) => ("refused", error.to_string()),
    };
    json!({ "ended": ended, "why": why })
}

async fn recover(runtime: &Runtime) -> Result<Value, Box<dyn Error>> {
    let recovery = runtime.recover().await?;
    let answers = || recovery.recovered.iter().map(|recovered| &recovered.response);
    // One that was undone has failed, and is at its end.
    let is_over = |answer: &&Response| matches!(answer.status, Status::Succeeded | Status::Failed);
    let ran = answers().filter(is_over).filter(|answer| !answer.replayed);
    let open = answers().filter(|answer| !is_over(answer));
    let waiting: Vec<_> = recovery.waiting.iter().map(|(_, why)| why).collect();
    Ok(json!({ "ran": ran.count(), "open": open.count(), "why": format!("{waiting:?}") }))
}

/// A person finds that what could not be undone was not, and lets it be tried again.
async fn resolve(runtime: &Runtime) -> Result<Value, Box<dyn Error>> {
    let Some(ledger) = runtime.ledger() else { return Err("there is a ledger".into()) };
    for (id, _) in ledger.list(unknown()).await? {
        if id.tool.ends_with(".rollback") {
            let resolved = Resolved::DidNotHappen { holder_is_dead: true };
            let (by, why) = ("ada".into(), "she looked into the books".into());
            ledger.resolve(Resolution { id, escalation: None, by, why, resolved }).await?;
        }
    }
    Ok(json!({}))
}

fn unknown() -> Query {
    Query { state: Some(StateName::Unknown), ..Query::default() }
}

/// What waits for a person.
async fn queue(ledger: &dyn Ledger) -> Result<Vec<String>, LedgerError> {
    let waiting = ledger.list(unknown()).await?.into_iter();
    Ok(waiting
        .map(|(id, record)| {
            let escalated = if record.escalation.is_some() { "" } else { " (not escalated)" };
            format!("{id}{escalated}")
        })
        .collect())
}
