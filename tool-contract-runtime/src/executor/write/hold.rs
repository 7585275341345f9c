//! Attempts under a claim.

use std::time::Duration;

use tool_contract_spec::decide::NextStep;
use tool_contract_spec::duration;
use tool_contract_spec::ledger::{Claim, Verdict as Settling};
use tool_contract_spec::outcome::OutcomeClass;

use super::{EARLIER, Round, Writing};
use crate::cx::Hold;
use crate::error::{CallError, Failure, LedgerFailure, UnknownOutcome};
use crate::executor::attempt::{Driven, Early, Watch, drive};
use crate::executor::lease::Lease;
use crate::executor::plan::deadline_passed;
use crate::job::{Ended, Job};
use crate::ledger::LedgerError;

impl<'a> Writing<'a> {
    /// Attempts under a claim, until something is settled.
    pub(super) async fn hold(
        &mut self,
        job: &mut dyn Job,
        claim: &Claim,
        lease: &mut Lease<'a>,
    ) -> Result<Round, CallError<()>> {
        let mut used = 0;
        (self.cause, self.budget) = (None, None);
        self.doubt = claim.in_doubt.then(|| EARLIER.to_owned());
        loop {
            let began_at = match self.may_attempt(lease, used).await {
                Ok(now) => now,
                Err(obstacle) => return Err(Box::pin(self.let_go(lease, used, obstacle)).await),
            };
            used += 1;
            self.attempts += 1;
            self.total += 1;
            let is_spent = used >= claim.attempts;
            // Nobody but a reconcile function asks for the arguments afterwards.
            let is_last = is_spent && self.plan.contract.policy.reconcile.is_none();
            let driven = self.attempt(job, lease, began_at, is_last).await;
            let ended = self.ended(driven);
            match self.follow(lease, &ended, began_at, is_spent).await {
                (NextStep::RetryAfter { .. }, delay) => {
                    self.rests_until = self.runtime.elapsed().saturating_add(delay);
                    Box::pin(self.back_off(lease, delay)).await;
                }
                (NextStep::Continue, _) => {
                    return self.succeed(lease, used, claim, ended.result).await;
                }
                (step, _) => return Box::pin(self.fail(lease, used, step, ended)).await,
            }
        }
    }

    /// Sees to it that an effect may begin, and says when: the lease holds,
    /// there is time, and the caller waits for it.
    async fn may_attempt(
        &self,
        lease: &mut Lease<'_>,
        used: u32,
    ) -> Result<Duration, CallError<()>> {
        if let Some(gate) = &self.plan.gate {
            Box::pin(gate.hold()).await.map_err(|shut| self.cut_short(used, shut))?;
        }
        let now = lease.ensure().await;
        let now = now.filter(|now| self.plan.gate.as_ref().is_none_or(|gate| gate.holds_at(*now)));
        let Some(now) = now else {
            let why = "the claim could not be renewed, so no attempt was begun";
            let error = LedgerError::Unavailable(why.to_owned());
            let failure = LedgerFailure { about: self.about(), error };
            return Err(self.cut_short(used, failure.into()));
        };
        // Asked last: the ledger may have taken its time.
        let is_over = self.plan.caller.remaining(now) == Some(Duration::ZERO);
        if is_over || self.link.is_abandoned() {
            return Err(self.cut_short(used, deadline_passed(self.about())));
        }
        Ok(now)
    }

    /// The end of a call between its attempts: all that ran left nothing
    /// behind.
    fn cut_short(&self, used: u32, obstacle: CallError<()>) -> CallError<()> {
        if used == 0 {
            return self.after_attempts(obstacle);
        }
        CallError::Failed(Failure::Tool(()), Box::new(self.about()))
    }

    /// Gives up a claim under which nothing more is begun.
    pub(super) async fn let_go(
        &mut self,
        lease: &Lease<'_>,
        used: u32,
        obstacle: CallError<()>,
    ) -> CallError<()> {
        let settling = match self.doubt.clone() {
            // The backoff that was cut short holds for the next call.
            None => Settling::Released {
                delay: self.rests_until.saturating_sub(self.runtime.elapsed()),
            },
            Some(cause) => Settling::Unknown { cause: cause.into() },
        };
        let settlement = self.settlement(lease, used, settling);
        match (self.settle(lease, &settlement).await, self.doubt.take()) {
            (Ok(escalation), Some(cause)) => self.unknown(cause, escalation),
            (Err(unknown), Some(_)) => unknown,
            (_, None) => obstacle,
        }
    }

    /// Makes one attempt.
    fn attempt<'j>(
        &mut self,
        job: &'j mut dyn Job,
        lease: &'j mut Lease<'a>,
        now: Duration,
        is_last: bool,
    ) -> impl Future<Output = Driven<Ended>> + Send + use<'a, 'j> {
        self.first_attempt_at.get_or_insert(now);
        let timeout = self.plan.contract.policy.timeout;
        let timeout_at = now.saturating_add(timeout);
        self.link.attempt(|| self.about());
        let hold = Hold {
            fence: lease.fence,
            until: lease.ends_at(),
            is_first: self.is_first && self.total == 1,
        };
        let cx = self.cx(timeout_at, Some(hold));
        let early = job.is_blocking().then(|| self.early(timeout_at));
        // A body that is not async cannot be stopped: its end is waited for.
        let timeout_at = if job.is_blocking() { Duration::MAX } else { timeout_at };
        let acts_for = (!job.is_blocking()).then_some(timeout);
        let watch =
            Watch { clock: self.runtime.clock(), timeout_at, lease: Some(lease), acts_for, early };
        drive(job.attempt(cx, is_last), watch)
    }

    /// How an attempt ended, in the words of the decision.
    fn ended(&self, driven: Driven<Ended>) -> Ended {
        let error = match driven {
            Driven::Ended(ended) => return ended,
            Driven::TimedOut => {
                let timeout = duration::wait(self.plan.contract.policy.timeout);
                format!("no answer within its timeout of {timeout}")
            }
            Driven::Panicked(message) => format!("the body panicked: {message}"),
        };
        Ended { outcome: OutcomeClass::SideEffectUnknown.into(), result: None, error }
    }

    /// Lets the caller go at the timeout of a body that cannot be stopped.
    fn early(&self, timeout_at: Duration) -> Early<'a> {
        let cause = "it still runs past its timeout and cannot be stopped; what comes of it will be on record";
        let answer = UnknownOutcome::new(self.about(), cause.to_owned(), None);
        Early { link: self.link, at: timeout_at, answer: Box::new(answer) }
    }

    async fn back_off(&self, lease: &mut Lease<'_>, span: Duration) {
        tokio::select! {
            () = lease.rest(span) => {}
            () = self.link.abandoned() => {}
        }
    }
}
