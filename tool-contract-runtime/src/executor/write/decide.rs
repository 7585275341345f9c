//! What follows from an outcome.

use std::time::Duration;

use tool_contract_spec::decide::{Decision, NextStep, Progress, decide, delay};
use tool_contract_spec::ledger::{Attempt, Timestamp};
use tool_contract_spec::outcome::{Outcome, OutcomeClass};

use super::Writing;
use crate::executor::lease::Lease;
use crate::executor::{budget, draw_delay};
use crate::job::Ended;

impl Writing<'_> {
    /// What follows from how an attempt ended, and after which delay. What failed is
    /// noted for the history.
    pub(super) async fn follow(
        &mut self,
        lease: &Lease<'_>,
        ended: &Ended,
        began_at: Duration,
        is_spent: bool,
    ) -> (NextStep, Duration) {
        if let Some(fuse) = self.fuse {
            fuse.note(ended.outcome.class, self.runtime.elapsed());
        }
        let mut progress = self.progress(ended.outcome, is_spent);
        let policy = &self.plan.contract.policy;
        let mut decision = decide(policy, ended.outcome, progress);
        let mut delay = Duration::ZERO;
        if let NextStep::RetryAfter { floor, ceiling } = decision.step {
            delay = draw_delay(floor, ceiling);
            if !Box::pin(self.may_retry(lease, delay)).await {
                progress.attempt = u32::MAX;
                decision = decide(policy, ended.outcome, progress);
            }
        }
        tracing::debug!(
            target: "tool_contract", id = %self.plan.admission.id, attempt = self.attempts,
            class = %ended.outcome.class, row = ?decision.row, "attempted"
        );
        if ended.outcome.class != OutcomeClass::Success {
            self.note(ended, began_at, decision.why(policy, ended.outcome, progress));
        }
        if ended.outcome.class == OutcomeClass::SideEffectUnknown {
            self.doubt = Some(ended.error.clone());
        }
        (decision.step, delay)
    }

    /// Whether the budget of its objective has room for an attempt after `delay`.
    async fn may_retry(&mut self, lease: &Lease<'_>, delay: Duration) -> bool {
        let again = budget::again(&self.plan.admission.draws, delay);
        if again.is_empty() {
            return true;
        }
        self.budget = budget::obstacle(lease.answer(self.plan.ledger.draw(again)).await);
        self.budget.is_none()
    }

    /// What follows from an outcome.
    pub(super) fn decide(&self, outcome: Outcome) -> Decision {
        decide(&self.plan.contract.policy, outcome, self.progress(outcome, false))
    }

    /// How far the call has come. For a caller who is gone, and under a claim
    /// whose attempts are used up, nothing is tried again.
    fn progress(&self, outcome: Outcome, is_spent: bool) -> Progress {
        // Nothing hangs on when it succeeded, and to look would cost more than all
        // of this.
        let is_timed = outcome.class != OutcomeClass::Success;
        let now = if is_timed { self.runtime.elapsed() } else { self.plan.caller.began_at };
        Progress {
            attempt: if is_spent || self.link.is_abandoned() { u32::MAX } else { self.attempts },
            total: self.total,
            elapsed: now.saturating_sub(self.first_attempt_at.unwrap_or(now)),
            remaining: self.plan.caller.remaining(now),
            in_doubt: self.doubt.is_some(),
        }
    }

    fn note(&mut self, ended: &Ended, began_at: Duration, mut decided: String) {
        if let Some(said) = &self.budget {
            decided = format!("{decided}: {said}");
        }
        let took = self.runtime.elapsed().saturating_sub(began_at);
        let now = self.runtime.clock().now();
        self.trace.push(Attempt {
            number: self.attempts,
            began_at: Timestamp(
                now.0.saturating_sub(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            ),
            took,
            class: ended.outcome.class,
            error: ended.error.clone(),
            decided,
        });
    }

    /// The delay that stands between this call and the next attempt of another
    /// one.
    pub(super) fn persisted_delay(&self, outcome: Outcome) -> Duration {
        match outcome.class {
            OutcomeClass::RetryableFailure(_) => {
                let (floor, ceiling) =
                    delay(&self.plan.contract.policy.retry, self.attempts, outcome.retry_after);
                draw_delay(floor, ceiling)
            }
            _ => Duration::ZERO,
        }
    }
}
