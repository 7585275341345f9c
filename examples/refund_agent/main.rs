//! An agent that repeats itself, a payment provider with faults, and the
//! contract between them.
//!
//! `cargo run --example refund_agent` plays what goes wrong between an agent
//! and a payment provider, first through the contracts in `tools.rs`, then
//! around them, and counts the charges.
//!
//! | file | what it is |
//! |---|---|
//! | `tools` | **read this first**: four functions and their contracts |
//! | `incidents` | the script |
//! | `agent`, `ask`, `caller` | who calls, what for, and through what |
//! | `client`, `provider` | HTTP, and the server at the other end |
//! | `process` | how both get processes of their own |
//! | `stage`, `teller`, `story`, `page` | playing it, and telling it |
//! | `report`, `promises` | counting it, and holding it against what is claimed |

mod agent;
mod ask;
mod caller;
mod client;
mod incidents;
mod money;
mod page;
mod process;
mod promises;
mod provider;
mod report;
mod stage;
mod story;
mod teller;
mod tools;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, fs, io};

use tokio::time::timeout;
use tool_contract::Runtime;

use crate::incidents::Incident;
use crate::page::Page;
use crate::promises::Promises;
use crate::provider::books::Accounts;
use crate::stage::Stage;
use crate::teller::Teller;

/// Far more than it takes.
const LONGEST: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    let role = env::args().nth(1);
    let played = match role.as_deref() {
        Some(stage::PROVIDER) => provide().await,
        Some(agent::ROLE) => act().await,
        _ => timeout(LONGEST, show())
            .await
            .unwrap_or_else(|_| Err("it takes too long; something hangs".into())),
    };
    played.unwrap_or_else(|why| {
        eprintln!("refund_agent: {why}");
        ExitCode::FAILURE
    })
}

async fn provide() -> Result<ExitCode, Box<dyn Error>> {
    process::leave_with_parent();
    match provider::serve().await? {}
}

async fn act() -> Result<ExitCode, Box<dyn Error>> {
    process::leave_with_parent();
    agent::run().await?;
    Ok(ExitCode::SUCCESS)
}

/// The whole show.
async fn show() -> Result<ExitCode, Box<dyn Error>> {
    let began = Instant::now();
    let incidents = incidents::all();
    let mut page = Page::new(io::stdout());
    let mut promises = Promises::default();
    let scratch = Scratch::new()?;
    let with = with_contracts(&scratch.0, &incidents, &mut promises, &mut page).await?;
    let without = without_contracts(&incidents, &mut promises, &mut page).await?;
    page.title("With and without")?;
    report::compare(&with, &without, &incidents, &mut page)?;
    page.line("")?;
    let is_kept = promises.tell(&mut page)?;
    page.line(&format!("It took {:.1} s.", began.elapsed().as_secs_f32()))?;
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn with_contracts(
    scratch: &Path,
    incidents: &[Incident],
    promises: &mut Promises,
    page: &mut Page<io::Stdout>,
) -> Result<Accounts, Box<dyn Error>> {
    let stage = Stage::with_contracts(&scratch.join("ledger.db")).await?;
    introduce(&stage, page)?;
    page.title("With contracts")?;
    let mut teller = Teller::default();
    for incident in incidents {
        let heard = teller.play(&stage, incident, page).await?;
        promises.heard(incident, heard);
    }
    let books = stage.books().await?;
    promises.with(incidents, &books);
    if let Some(runtime) = stage.runtime() {
        page.title("The provider's own count")?;
        report::count(runtime, &books, incidents, promises, page).await?;
        page.title("What waits for a person")?;
        let waiting = report::waiting(runtime, promises, page).await?;
        promises.waiting(incidents, waiting);
        runtime.drain().await;
    }
    Ok(books)
}

fn introduce(stage: &Stage, page: &mut Page<io::Stdout>) -> io::Result<()> {
    let tools = stage.runtime().map(Runtime::tools).unwrap_or_default();
    let names: Vec<_> = tools.into_iter().map(|tool| tool.name).collect();
    page.line("An agent asks, up to three times, until it hears a yes. Its payment provider has faults, and")?;
    page.line("charges as often as it is told to. Between them stand contracts.")?;
    page.line("")?;
    page.says("tools", &names.join(", "))?;
    page.says("contract", "what the ledger wrote down, and the rule that decided")?;
    page.says("provider", "what its own journal says")
}

async fn without_contracts(
    incidents: &[Incident],
    promises: &mut Promises,
    page: &mut Page<io::Stdout>,
) -> Result<Accounts, Box<dyn Error>> {
    page.title("Without contracts: the same agent, the same faults, the same functions")?;
    let stage = Stage::without_contracts().await?;
    for incident in incidents {
        stage.prepare(incident).await?;
        for step in &incident.steps {
            stage.play(incident, step).await?;
        }
        let times = stage.books().await?.effects(incident.subject);
        page.line(&format!(
            "without contracts: {} {}",
            incident.subject,
            report::done(incident.verb, times)
        ))?;
    }
    let books = stage.books().await?;
    promises.without(incidents, &books);
    Ok(books)
}

/// A directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        let path = env::temp_dir().join(format!("refund_agent-{}-{now}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
