//! What came of it goes on record, and then to the caller.

use std::sync::Arc;

use tool_contract_spec::decide::NextStep;
use tool_contract_spec::ledger::{Claim, EscalationId, Settled, Settlement, Verdict as Settling};

use super::{FIRST_PAUSE, Round, Writing};
use crate::error::{CallError, Failure};
use crate::executor::Success;
use crate::executor::lease::Lease;
use crate::job::Ended;
use crate::ledger::LedgerError;

impl Writing<'_> {
    /// Records that it happened, and answers the caller.
    pub(super) async fn succeed(
        &mut self,
        lease: &Lease<'_>,
        used: u32,
        claim: &Claim,
        result: Option<Arc<str>>,
    ) -> Result<Round, CallError<()>> {
        let result = result.unwrap_or_else(|| "null".into());
        let settlement = self.settlement(lease, used, Settling::Succeeded { result });
        self.settle(lease, &settlement).await?;
        tracing::debug!(target: "tool_contract", id = %lease.id, "succeeded");
        Ok(Round::Done(Success {
            key: Some(self.key()),
            attempts: self.total,
            reminted_from: claim.reminted_from.clone(),
            replay: None,
            replayed: false,
        }))
    }

    /// Records that it did not happen, or that this is not known, and answers
    /// the caller.
    pub(super) async fn fail(
        &mut self,
        lease: &Lease<'_>,
        used: u32,
        step: NextStep,
        ended: Ended,
    ) -> Result<Round, CallError<()>> {
        if !matches!(step, NextStep::Reconcile | NextStep::Escalate) {
            let delay = self.persisted_delay(ended.outcome);
            let is_counted_on = self.plan.gate.as_ref().is_some_and(|gate| gate.is_counted_on());
            let verdict = Settling::of_failure(ended.outcome.class, delay, is_counted_on);
            let settlement = self.settlement(lease, used, verdict);
            self.settle(lease, &settlement).await?;
            tracing::debug!(target: "tool_contract", id = %lease.id, ?delay, "released");
            return Err(CallError::Failed(
                Failure::Tool(()),
                Box::new(self.about().not_before(delay)),
            ));
        }
        let cause = self.doubt.take().unwrap_or(ended.error);
        let settlement =
            self.settlement(lease, used, Settling::Unknown { cause: cause.clone().into() });
        let escalation = self.settle(lease, &settlement).await?;
        if step == NextStep::Escalate {
            return Err(self.unknown(cause, escalation));
        }
        self.cause = Some(cause);
        Ok(Round::Reconcile)
    }

    pub(super) fn settlement(
        &mut self,
        lease: &Lease<'_>,
        used: u32,
        verdict: Settling,
    ) -> Settlement {
        let attempts = std::mem::take(&mut self.trace);
        if matches!(verdict, Settling::Released { .. } | Settling::Exhausted) {
            self.runtime.give_back(self.grant.as_ref());
        }
        Settlement { id: lease.id.clone(), fence: lease.fence, used, verdict, attempts }
    }

    /// Records what came of a claim; tries again while the lease lives.
    ///
    /// If it cannot be recorded, the caller is told that the outcome is
    /// unknown: the next one to ask will be told the same.
    pub(super) async fn settle(
        &self,
        lease: &Lease<'_>,
        settlement: &Settlement,
    ) -> Result<Option<EscalationId>, CallError<()>> {
        let settled = match lease.answer(self.plan.ledger.settle(settlement)).await {
            Err(error) => Box::pin(self.settle_again(lease, settlement, error)).await,
            settled => settled,
        };
        match settled {
            Ok(Settled::Recorded { escalation }) => Ok(escalation),
            unsettled => Err(self.unknown(off_record(&settlement.verdict, unsettled), None)),
        }
    }

    /// Settles again after `error`, while the lease lives.
    async fn settle_again(
        &self,
        lease: &Lease<'_>,
        settlement: &Settlement,
        mut error: LedgerError,
    ) -> Result<Settled, LedgerError> {
        let mut pause = FIRST_PAUSE;
        while self.runtime.elapsed().saturating_add(pause) < lease.ends_at() {
            self.runtime.clock().pause(pause).await;
            match lease.answer(self.plan.ledger.settle(settlement)).await {
                Ok(settled) => return Ok(settled),
                Err(newest) => error = newest,
            }
            pause = (pause * 2).min(self.runtime.lease() / 3);
        }
        Err(error)
    }
}

/// What is known of an operation whose settlement is not on record, and why it
/// is not.
fn off_record(verdict: &Settling, settled: Result<Settled, LedgerError>) -> String {
    let known = match verdict {
        Settling::Succeeded { .. } => "it succeeded",
        Settling::Released { .. } | Settling::Exhausted => "it left nothing behind",
        Settling::Unknown { .. } => "its outcome is unknown",
    };
    match settled {
        Ok(Settled::Superseded { state }) => {
            format!("{known}, but by then it was {state}: somebody else had resolved it")
        }
        Ok(Settled::Missing | Settled::Recorded { .. }) => {
            format!("{known}, but the ledger does not know it: it has lost its data")
        }
        Err(error) => format!("{known}, but that could not be recorded: {error}"),
    }
}
