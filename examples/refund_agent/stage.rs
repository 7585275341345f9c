//! Where incidents are played: a provider, an agent, and what is between them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;
use tool_contract::Runtime;

use crate::agent::{self, insist};
use crate::ask::{Ask, Heard};
use crate::caller::Caller;
use crate::client::{HttpError, Provider};
use crate::incidents::{Incident, Step};
use crate::process::Process;
use crate::provider::books::Accounts;

/// The word that makes this program a provider.
pub(crate) const PROVIDER: &str = "provider";
/// How often the provider is asked whether it has acted.
const LOOK: Duration = Duration::from_millis(5);

/// A stage, with a provider of its own.
pub(crate) struct Stage {
    provider: Provider,
    caller: Caller,
    /// The ledger's file, if there are contracts.
    ledger: Option<PathBuf>,
    _provider: Process,
}

/// What the agent heard, each of its branches and lives for itself.
pub(crate) type Played = Vec<Vec<Heard>>;

impl Stage {
    pub(crate) async fn with_contracts(ledger: &Path) -> Result<Self, Box<dyn Error>> {
        let (process, provider) = start_provider().await?;
        let caller = Caller::with_contracts(provider, ledger).await?;
        Ok(Self { provider, caller, ledger: Some(ledger.to_owned()), _provider: process })
    }

    pub(crate) async fn without_contracts() -> Result<Self, Box<dyn Error>> {
        let (process, provider) = start_provider().await?;
        Ok(Self {
            provider,
            caller: Caller::without_contracts(provider)?,
            ledger: None,
            _provider: process,
        })
    }

    /// The runtime, if calls are made through one.
    pub(crate) const fn runtime(&self) -> Option<&Runtime> {
        match &self.caller {
            Caller::Contracts(runtime) => Some(runtime),
            Caller::Bare(_) => None,
        }
    }

    pub(crate) async fn books(&self) -> Result<Accounts, HttpError> {
        self.provider.books().await
    }

    pub(crate) async fn prepare(&self, incident: &Incident) -> Result<(), HttpError> {
        self.provider.script(incident.subject, incident.faults).await
    }

    pub(crate) async fn play(
        &self,
        incident: &Incident,
        step: &Step,
    ) -> Result<Played, Box<dyn Error>> {
        match step {
            Step::Insist(ask) => Ok(vec![insist(&self.caller, ask).await]),
            Step::AtOnce(one, other) => {
                let (one, other) =
                    tokio::join!(insist(&self.caller, one), insist(&self.caller, other));
                Ok(vec![one, other])
            }
            Step::Killed(ask) => self.kill_and_start_again(incident.subject, ask).await,
            Step::Approved(ask) => self.approve(ask).await,
        }
    }

    async fn kill_and_start_again(
        &self,
        subject: &str,
        ask: &Ask,
    ) -> Result<Played, Box<dyn Error>> {
        let agent = agent::start(self.provider, self.ledger.as_deref(), ask)?;
        while self.books().await?.effects(subject) == 0 {
            sleep(LOOK).await;
        }
        agent.kill().await?;
        let mut again = agent::start(self.provider, self.ledger.as_deref(), ask)?;
        let heard = serde_json::from_str(&again.line().await?)?;
        Ok(vec![heard])
    }

    /// What waits for a person gets a yes, and the agent asks again. Without
    /// contracts nothing waits, and the agent has what it wanted.
    async fn approve(&self, ask: &Ask) -> Result<Played, Box<dyn Error>> {
        let Some(runtime) = self.runtime() else { return Ok(Vec::new()) };
        let approver = runtime.insecure_local_approver("jo");
        for waiting in approver.waiting().await? {
            approver.grant_request(&waiting.request).await?;
        }
        Ok(vec![insist(&self.caller, ask).await])
    }
}

async fn start_provider() -> Result<(Process, Provider), Box<dyn Error>> {
    let mut process = Process::start([PROVIDER.as_ref()])?;
    let address = process.line().await?.parse()?;
    Ok((process, Provider { address }))
}
