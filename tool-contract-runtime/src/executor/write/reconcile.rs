//! Finding out what happened, by the reconcile function.

use std::time::Duration;

use tool_contract_spec::decide::NextStep;
use tool_contract_spec::duration;
use tool_contract_spec::ledger::{
    EscalationId, Finding, ReconcileClaim, ReconcileRequest, Reconciled,
};
use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};

use super::{EARLIER, Round, Writing};
use crate::error::{CallError, Failure};
use crate::executor::Success;
use crate::executor::attempt::{Driven, Watch, drive};
use crate::executor::draw_delay;
use crate::executor::lease::{Lease, Term};
use crate::job::{Found, Job};
use crate::tool::BoxFuture;

/// What follows if it did not happen.
struct IfNot {
    /// How long the next attempt has to wait.
    delay: Duration,
    /// Whether this call makes it.
    goes_on: bool,
}

impl Writing<'_> {
    /// Becomes the one reconciler of the operation, and asks.
    pub(in crate::executor) async fn reconcile(
        &mut self,
        job: &mut dyn Job,
    ) -> Result<Round, CallError<()>> {
        let request = ReconcileRequest {
            id: self.plan.admission.id.clone(),
            nonce: self.runtime.nonce(),
            holder: self.runtime.holder(),
        };
        let asked_at = self.runtime.elapsed();
        match self.plan.ledger.begin_reconcile(request).await {
            Err(error) => Err(self
                .unknown(format!("the ledger could not be asked to reconcile it: {error}"), None)),
            // Somebody else is at it, or was: admission says what came of it.
            Ok(ReconcileClaim::Refused { .. }) => Ok(Round::Again(Duration::ZERO)),
            Ok(ReconcileClaim::Claimed { fence, now, lease_until, attempts, .. }) => {
                self.total = attempts;
                let term = Term { asked_at, now, lease_until };
                let lease = Lease::new(self.runtime, self.plan, fence, &term);
                self.find_out(job, lease).await
            }
        }
    }

    /// Asks until the answer is believed.
    async fn find_out(
        &mut self,
        job: &mut dyn Job,
        mut lease: Lease<'_>,
    ) -> Result<Round, CallError<()>> {
        loop {
            let looked_at = lease.told_at();
            let ends_at = self.runtime.elapsed().saturating_add(self.plan.contract.policy.timeout);
            let found = match job.reconcile(self.cx(ends_at, None), looked_at) {
                Some(asking) => self.ask(asking, &mut lease).await,
                None => Found::CannotTell("the tool has no reconcile function".to_owned()),
            };
            let if_not = self.if_not();
            let finding = match found {
                Found::Happened(result) => Finding::Happened { result },
                Found::DidNotHappen => Finding::DidNotHappen { looked_at, delay: if_not.delay },
                Found::CannotTell(why) => Finding::CannotTell { why },
            };
            tracing::debug!(target: "tool_contract", id = %lease.id, found = word(&finding), "reconciled");
            match self.report(&lease, finding.clone()).await? {
                Reconciled::Recorded { escalation, .. } => {
                    return self.answer(finding, &if_not, escalation);
                }
                Reconciled::TooEarly { wait: Some(wait) } if self.has_time_for(wait) => {
                    lease.rest(wait).await;
                    // The next look begins when the ledger says that it does.
                    if !lease.renew().await {
                        let why = "it seems not to have happened, but the claim to find out could not be renewed";
                        return Err(self.give_up(&lease, why.to_owned()).await);
                    }
                }
                Reconciled::TooEarly { wait } => {
                    return Err(self.give_up(&lease, too_early(wait)).await);
                }
                // Of what a function finds, nothing is said to be a saga's.
                Reconciled::Superseded { .. } | Reconciled::OfItsSteps { .. } => {
                    return Ok(Round::Again(Duration::ZERO));
                }
            }
        }
    }

    /// Waits for the reconcile function, for as long as an attempt may take.
    async fn ask(&self, asking: BoxFuture<'_, Found>, lease: &mut Lease<'_>) -> Found {
        let timeout = self.plan.contract.policy.timeout;
        let timeout_at = self.runtime.elapsed().saturating_add(timeout);
        let clock = self.runtime.clock();
        let watch = Watch { clock, timeout_at, lease: Some(lease), acts_for: None, early: None };
        match drive(asking, watch).await {
            Driven::Ended(found) => found,
            Driven::TimedOut => Found::CannotTell(format!(
                "the reconcile function took longer than {}",
                duration::wait(timeout)
            )),
            Driven::Panicked(message) => {
                Found::CannotTell(format!("the reconcile function panicked: {message}"))
            }
        }
    }

    /// What follows if it did not happen: what follows after
    /// `retryable_failure(other)`. A call that has not attempted anything yet
    /// simply goes on.
    fn if_not(&self) -> IfNot {
        if self.attempts == 0 {
            return IfNot { delay: Duration::ZERO, goes_on: true };
        }
        let outcome = Outcome::new(OutcomeClass::RetryableFailure(Cause::Other));
        match self.decide(outcome).step {
            NextStep::RetryAfter { floor, ceiling } => {
                IfNot { delay: draw_delay(floor, ceiling), goes_on: true }
            }
            _ => IfNot { delay: self.persisted_delay(outcome), goes_on: false },
        }
    }

    fn has_time_for(&self, wait: Duration) -> bool {
        let left = self.plan.caller.remaining(self.runtime.elapsed());
        !self.link.is_abandoned() && left.is_none_or(|left| wait < left)
    }

    async fn report(
        &self,
        lease: &Lease<'_>,
        finding: Finding,
    ) -> Result<Reconciled, CallError<()>> {
        let reported =
            self.plan.ledger.finish_reconcile(lease.id.clone(), lease.fence, finding).await;
        reported.map_err(|error| {
            self.unknown(format!("what was found out could not be recorded: {error}"), None)
        })
    }

    async fn give_up(&self, lease: &Lease<'_>, why: String) -> CallError<()> {
        match self.report(lease, Finding::CannotTell { why: why.clone() }).await {
            Ok(Reconciled::Recorded { escalation, .. }) => self.unsolved(&why, escalation),
            Ok(_) => self.unsolved(&why, None),
            Err(error) => error,
        }
    }

    /// Still unknown: what the cause was, and why it could not be found out.
    fn unsolved(&self, why: &str, escalation: Option<EscalationId>) -> CallError<()> {
        let cause = self.cause.as_deref().unwrap_or(EARLIER);
        self.unknown(format!("{cause}; the reconcile function could not tell: {why}"), escalation)
    }

    fn answer(
        &mut self,
        finding: Finding,
        if_not: &IfNot,
        escalation: Option<EscalationId>,
    ) -> Result<Round, CallError<()>> {
        match finding {
            Finding::Happened { result } => Ok(Round::Done(Success {
                key: self.about().key,
                attempts: self.total,
                reminted_from: None,
                replay: Some(result),
                replayed: self.attempts == 0,
            })),
            Finding::DidNotHappen { .. } if if_not.goes_on => {
                self.cause = None;
                Ok(Round::Again(if_not.delay))
            }
            Finding::DidNotHappen { .. } => {
                let about = self.about().not_before(if_not.delay);
                Err(CallError::Failed(Failure::DidNotHappen, Box::new(about)))
            }
            Finding::CannotTell { why } => Err(self.unsolved(&why, escalation)),
        }
    }
}

/// Why "it did not happen" is not believed.
fn too_early(wait: Option<Duration>) -> String {
    wait.map_or_else(
        || {
            "it seems not to have happened, but its holder vanished, and a body that is not async \
             may act for as long as its process lives: a person who knows that process to be \
             dead may say so"
                .to_owned()
        },
        |wait| {
            let wait = duration::wait(wait);
            format!("it seems not to have happened, which is believed only {wait} later")
        },
    )
}

/// A finding for the log; the result itself is nobody's business there.
const fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Happened { .. } => "it happened",
        Finding::DidNotHappen { .. } => "it did not happen",
        Finding::CannotTell { .. } => "it cannot tell",
    }
}
