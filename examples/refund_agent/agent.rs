//! The agent: it asks again until it hears a yes, as models do.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io};

use tokio::time::sleep;
use tool_contract::Status;

use crate::ask::{Ask, Heard};
use crate::caller::Caller;
use crate::client::Provider;
use crate::process::Process;

/// How often a model asks for the same thing before it gives up.
const TURNS: usize = 3;
/// How long it thinks in between.
const THINKING: Duration = Duration::from_millis(120);

/// Asks until it hears a yes, or is told to wait for a person.
pub(crate) async fn insist(caller: &Caller, ask: &Ask) -> Vec<Heard> {
    let mut heard = Vec::new();
    loop {
        let answer = caller.call(ask).await;
        let is_over = matches!(answer.status, Status::Succeeded | Status::AwaitingApproval);
        let pause = answer.retry_after.unwrap_or(THINKING);
        heard.push(answer);
        if is_over || heard.len() == TURNS {
            return heard;
        }
        sleep(pause).await;
    }
}

/// The word that makes this program an agent.
pub(crate) const ROLE: &str = "agent";

/// Starts an agent in a process of its own, which can be killed.
pub(crate) fn start(provider: Provider, ledger: Option<&Path>, ask: &Ask) -> io::Result<Process> {
    let ask = serde_json::to_string(ask)?;
    let ledger = ledger.unwrap_or(Path::new(""));
    Process::start([
        ROLE.as_ref(),
        provider.address.to_string().as_ref(),
        ask.as_ref(),
        ledger.as_os_str(),
    ])
}

/// What an agent in a process of its own does: one thing, and says on stdout
/// what it heard.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(2);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let address: SocketAddr = next()?.to_string_lossy().parse()?;
    let ask: Ask = serde_json::from_str(&next()?.to_string_lossy())?;
    let ledger = PathBuf::from(next()?);
    let provider = Provider { address };
    let caller = if ledger.as_os_str().is_empty() {
        Caller::without_contracts(provider)?
    } else {
        Caller::with_contracts(provider, &ledger).await?
    };
    let heard = insist(&caller, &ask).await;
    writeln!(io::stdout(), "{}", serde_json::to_string(&heard)?)?;
    Ok(())
}
