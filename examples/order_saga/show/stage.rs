//! The services, a ledger, and the processes that place orders.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs, io};

use order_shop::client::Shop;
use order_shop::order::{Order, PlaceOrder, place_order};
use order_shop::service::{Account, Service};
use order_shop::tools::{Charge, ChargeCard, ReserveStock, Ship};
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tool_contract::Runtime;
use tool_contract::ledger::{Query, Record, Resolution, Resolved, SqliteLedger, State};
use tool_contract::spec::key::OperationId;

/// The word that makes this program a process that places one order.
pub(crate) const ROLE: &str = "place";
/// A crash is noticed after this time. Short, so that the example is.
const LEASE: Duration = Duration::from_secs(1);
/// How often it is looked for what a dead process left.
const LOOK: Duration = Duration::from_millis(100);

/// Where orders are placed.
pub(crate) struct Stage {
    pub(crate) service: Service,
    runtime: Runtime,
    ledger: PathBuf,
    _scratch: Scratch,
}

impl Stage {
    pub(crate) async fn new() -> Result<Self, Box<dyn Error>> {
        let service = Service::start().await?;
        let scratch = Scratch::new()?;
        let ledger = scratch.0.join("ledger.db");
        let runtime = runtime(&ledger, Shop::at(service.address())).await?;
        Ok(Self { service, runtime, ledger, _scratch: scratch })
    }

    /// Places an order in this process; what its caller hears.
    pub(crate) async fn place(&self, id: &str) -> String {
        match place_order(order(id)).key(id).call(&self.runtime).await {
            Ok(completed) => match completed.into_inner().finished() {
                Ok(parcel) => format!("finished: {}", parcel.parcel_id),
                Err(undone) => format!("undone: {undone}"),
            },
            Err(error) => error.to_string(),
        }
    }

    /// Places an order in a process of its own.
    pub(crate) fn start(&self, id: &str) -> io::Result<Process> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(ROLE).arg(&self.ledger).arg(self.service.address().to_string()).arg(id);
        let child = command.stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        Ok(Process(child))
    }

    /// Goes on with what was left, once it is certain that nobody is at it.
    pub(crate) async fn recover(&self) -> Result<String, Box<dyn Error>> {
        loop {
            let recovery = self.runtime.recover().await?;
            if let Some(recovered) = recovery.recovered.first() {
                let result = recovered.response.result.as_ref();
                let came_to = result.map_or("nothing yet", |result| result.get());
                return Ok(format!("{} came to {came_to}", recovered.saga));
            }
            sleep(LOOK).await;
        }
    }

    pub(crate) fn account(&self, order_id: &str) -> Account {
        self.service.books().account(order_id)
    }

    /// The operations of an order: the saga, each step, and what undoes it.
    pub(crate) async fn operations(
        &self,
        order_id: &str,
    ) -> Result<Vec<(OperationId, Record, String)>, Box<dyn Error>> {
        let Some(ledger) = self.runtime.ledger() else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        for (id, record) in ledger.list(Query::default()).await? {
            if id.key.as_str().split('/').next() == Some(order_id) {
                let history = ledger.history(id.clone()).await?;
                let events: Vec<_> =
                    history.iter().map(|event| event.kind.as_str().replace('_', " ")).collect();
                told.push((id, record, events.join(", ")));
            }
        }
        told.sort_by(|(one, ..), (two, ..)| (&one.key, &*one.tool).cmp(&(&two.key, &*two.tool)));
        Ok(told)
    }

    /// A person gives the money back, and says that what was to do so has happened.
    pub(crate) async fn refund_by_hand(&self, order_id: &str) -> Result<(), Box<dyn Error>> {
        let Some(ledger) = self.runtime.ledger() else { return Ok(()) };
        for (id, record, _) in self.operations(order_id).await? {
            match (&*id.tool, &record.state) {
                ("charge_card", State::Succeeded { result, .. }) => {
                    let charge: Charge = serde_json::from_str(result)?;
                    Shop::at(self.service.address()).refund("by hand", &charge.charge_id).await?;
                }
                ("charge_card.rollback", State::Unknown(_)) => {
                    let (by, why) = ("jo".into(), "refunded by hand".into());
                    let (escalation, result) = (record.escalation, "null".into());
                    let resolved = Resolved::Happened { result };
                    ledger.resolve(Resolution { id, escalation, by, why, resolved }).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn order(id: &str) -> Order {
    Order { id: id.to_owned(), item: "lamp".to_owned(), quantity: 2, cents: 4_200 }
}

async fn runtime(ledger: &Path, shop: Shop) -> Result<Runtime, Box<dyn Error>> {
    Ok(Runtime::builder()
        .ledger(SqliteLedger::open(ledger).await?)
        .lease(LEASE)
        .state(shop)
        .tool::<PlaceOrder>()
        .tool::<ReserveStock>()
        .tool::<ChargeCard>()
        .tool::<Ship>()
        .build()?)
}

/// Places one order: all that such a process does.
pub(crate) async fn place(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [ledger, service, id] = arguments else {
        return Err("place <ledger> <service> <order>".into());
    };
    let runtime = runtime(ledger.as_ref(), Shop::at(service.parse()?)).await?;
    place_order(order(id)).key(id).call(&runtime).await?;
    Ok(())
}

/// A process that places an order.
pub(crate) struct Process(Child);

impl Process {
    /// Ends it at once, whatever it is doing: SIGKILL.
    pub(crate) async fn kill(mut self) -> io::Result<()> {
        self.0.kill().await
    }
}

/// A directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        let path = env::temp_dir().join(format!("order_saga-{}-{now}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
