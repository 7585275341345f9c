//! The circuit breaker of a tool, in one runtime.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tool_contract_spec::breaker::Circuit;
use tool_contract_spec::duration;
use tool_contract_spec::outcome::OutcomeClass;
use tool_contract_spec::policy::{Breaker, Contract};
use tool_contract_spec::rulebook::Code;

use crate::error::{About, CallError, Rejected};

/// The circuit breaker of a tool. Each runtime has its own: what one process
/// finds to be down may answer another.
#[derive(Debug)]
pub(crate) struct Fuse {
    breaker: Breaker,
    circuit: Mutex<Circuit>,
}

impl Fuse {
    pub(crate) fn of(contract: &Contract) -> Option<Self> {
        let breaker = contract.policy.breaker?;
        Some(Self { breaker, circuit: Mutex::new(Circuit::default()) })
    }

    /// Lets a call pass, or refuses it before anything is asked of the ledger.
    pub(crate) fn pass(&self, contract: &Contract, now: Duration) -> Result<(), CallError<()>> {
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        circuit.pass(self.breaker, now).map_err(|wait| {
            let about = About::tool(contract.name.clone());
            let reason = format!(
                "its last calls found the other side unavailable, or did not hear of it; it is left alone for another {}",
                duration::wait(wait)
            );
            let next = "call again then, with the same key: one call tries first";
            let rejected = Rejected::new(Code::BREAKER_OPEN, about, reason, next);
            CallError::from(Rejected { retry_after: Some(wait), ..rejected })
        })
    }

    /// Takes note of how an attempt ended.
    pub(crate) fn note(&self, class: OutcomeClass, now: Duration) {
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        circuit.note(self.breaker, class, now);
    }
}
