//! The two ways in which the agent's calls are made: through their contracts,
//! and around them.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;
use tool_contract::ledger::SqliteLedger;
use tool_contract::testing::run_body;
use tool_contract::{Call, Meta, Request, Response, Runtime, Status, Tool};

use crate::ask::{Ask, Heard};
use crate::client::Provider;
use crate::tools::{charge_card, close_account, order_status, send_receipt};

/// A crash is noticed after this time. Short, so that the example is.
const LEASE: Duration = Duration::from_secs(1);
/// A naive retry: again on any error, without asking what the error means.
const BARE_ATTEMPTS: u32 = 3;
const BARE_PAUSE: Duration = Duration::from_millis(20);

/// How calls are made.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// By `runtime.dispatch`.
    Contracts(Runtime),
    /// By running the same bodies directly, three times if they fail.
    Bare(Runtime),
}

impl Caller {
    pub(crate) async fn with_contracts(
        provider: Provider,
        ledger: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let ledger = SqliteLedger::open(ledger).await?;
        let runtime = Runtime::builder()
            .ledger(ledger)
            .lease(LEASE)
            .state(provider)
            .linked_tools()
            // The person of this story says yes in the agent's own process.
            .insecure_local_approvals()
            .build()?;
        Ok(Self::Contracts(runtime))
    }

    pub(crate) fn without_contracts(provider: Provider) -> Result<Self, Box<dyn Error>> {
        Ok(Self::Bare(Runtime::builder().state(provider).build()?))
    }

    /// Makes one call.
    pub(crate) async fn call(&self, ask: &Ask) -> Heard {
        match self {
            Self::Contracts(runtime) => match request(ask) {
                Ok(request) => Heard::from(runtime.dispatch(request).await),
                Err(why) => Heard::failed(why.to_string()),
            },
            Self::Bare(runtime) => bare(runtime, ask.clone()).await,
        }
    }
}

fn request(ask: &Ask) -> serde_json::Result<Request> {
    let idempotency_key = ask.key().map(str::to_owned);
    Request::new(ask.tool(), &ask.arguments(), Meta { idempotency_key, ..Meta::default() })
}

async fn bare(runtime: &Runtime, ask: Ask) -> Heard {
    match ask {
        Ask::OrderStatus { order_id } => stubborn(runtime, || order_status(order_id.clone())).await,
        Ask::ChargeCard { order_id, cents, memo, .. } => {
            stubborn(runtime, || charge_card(order_id.clone(), cents, memo.clone())).await
        }
        Ask::SendReceipt { order_id, to } => {
            stubborn(runtime, || send_receipt(order_id.clone(), to.clone())).await
        }
        Ask::CloseAccount { customer_id } => {
            stubborn(runtime, || close_account(customer_id.clone())).await
        }
    }
}

async fn stubborn<T>(runtime: &Runtime, call: impl Fn() -> Call<T>) -> Heard
where
    T: Tool<Output: Serialize>,
{
    let mut attempt = 1;
    loop {
        match run_body(runtime, call()).await {
            Ok(output) => return Heard::succeeded(&output),
            Err(why) if attempt == BARE_ATTEMPTS => return Heard::failed(why.to_string()),
            Err(_) => sleep(BARE_PAUSE).await,
        }
        attempt += 1;
    }
}

impl Heard {
    fn new(status: Status, text: String) -> Self {
        Self {
            status,
            replayed: false,
            reminted_from: None,
            text,
            attempts: BARE_ATTEMPTS,
            code: None,
            retry_after: None,
        }
    }

    fn failed(why: String) -> Self {
        Self::new(Status::Failed, why)
    }

    fn succeeded(output: &impl Serialize) -> Self {
        Self::new(Status::Succeeded, serde_json::to_string(output).unwrap_or_default())
    }
}

impl From<Response> for Heard {
    fn from(response: Response) -> Self {
        let result = response.result.as_ref().map(|result| result.get().to_owned());
        Self {
            status: response.status,
            replayed: response.replayed,
            reminted_from: response.reminted_from,
            text: result.or(response.message).unwrap_or_default(),
            attempts: response.attempts,
            code: response.code,
            retry_after: response.retry_after_ms.map(Duration::from_millis),
        }
    }
}
