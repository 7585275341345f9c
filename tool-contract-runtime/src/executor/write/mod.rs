//! Writes: admitted, attempted under the claim that they hold, decided, settled; and
//! where that is not known, reconciled.

mod admit;
mod decide;
mod hold;
mod reconcile;
mod settle;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::ledger::{ApprovalId, Attempt, EscalationId, Refusal, Timestamp};

use self::admit::Entered;
use super::link::Link;
use super::plan::Plan;
use super::{Fuse, Success, Verdict, budget, refused};
use crate::cx::{Cx, Hold};
use crate::error::{About, CallError, Failure, UnknownOutcome};
use crate::job::Job;
use crate::runtime::Runtime;

/// The first pause before a ledger is asked again, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How often one call goes back to admission: after a wait, a reconcile. Each
/// round has its own bound; this one is against a ledger that contradicts
/// itself.
const ROUNDS: u32 = 1_000;

/// What is known of a claim that was given in doubt.
const EARLIER: &str = "an earlier call may have happened";

/// A write under way.
pub(super) struct Writing<'a> {
    runtime: &'a Runtime,
    plan: &'a Plan<'a>,
    link: &'a Link,
    fuse: Option<&'a Fuse>,
    /// Attempts of this call.
    attempts: u32,
    /// Attempts under the key, this call's included.
    total: u32,
    /// Whether nobody claimed the key before.
    is_first: bool,
    /// What of this operation may have happened already, though a repetition
    /// was allowed.
    doubt: Option<String>,
    /// Why the outcome that is being reconciled is unknown.
    cause: Option<String>,
    /// When the next attempt may begin, after one that failed.
    rests_until: Duration,
    /// When the first attempt began.
    first_attempt_at: Option<Duration>,
    /// What failed, for the history.
    trace: Vec<Attempt>,
    /// The request whose grant the claim uses.
    grant: Option<ApprovalId>,
    /// Why nothing more is tried, where the budget of its objective said so.
    budget: Option<Arc<str>>,
}

/// What a round led to.
pub(super) enum Round {
    Done(Success),
    /// It did not happen: ask for admission again, after this time.
    Again(Duration),
    /// The outcome is unknown and on record: ask the reconcile function.
    Reconcile,
}

impl<'a> Writing<'a> {
    pub(super) fn new(
        runtime: &'a Runtime,
        plan: &'a Plan<'a>,
        link: &'a Link,
        fuse: Option<&'a Fuse>,
    ) -> Self {
        Self {
            runtime,
            plan,
            link,
            fuse,
            attempts: 0,
            total: 0,
            is_first: false,
            doubt: None,
            cause: None,
            rests_until: Duration::ZERO,
            first_attempt_at: None,
            trace: Vec::new(),
            grant: None,
            budget: None,
        }
    }

    /// Makes the call.
    pub(super) async fn run(&mut self, job: &mut dyn Job) -> Verdict {
        let mut now = self.plan.caller.began_at;
        for _ in 0..ROUNDS {
            let entered = match self.enter(now).await {
                Ok(entered) => entered,
                Err(error) => {
                    self.budget = budget::refusal(&error).or(self.budget.take());
                    return Err(self.after_attempts(error));
                }
            };
            let round = match entered {
                Entered::Replayed(success) => return Ok(success),
                // Boxed, like the next one: what does not come so far, a read
                // or a replay, needs no room for it.
                Entered::Claimed(claim, mut lease) => {
                    Box::pin(self.hold(job, &claim, &mut lease)).await?
                }
                Entered::Unknown => Round::Reconcile,
            };
            let round = match round {
                Round::Reconcile => Box::pin(self.reconcile(job)).await?,
                round => round,
            };
            match round {
                Round::Done(success) => return Ok(success),
                Round::Again(wait) => self.runtime.clock().pause(wait).await,
                Round::Reconcile => {}
            }
            now = self.runtime.elapsed();
        }
        let refusal =
            self.refuse(Refusal::InFlight { reconciling: true, lease_until: Timestamp::ZERO });
        Err(self.after_attempts(refusal))
    }

    /// A refusal in the words of a call that has attempted something before:
    /// nobody may be told that nothing ran.
    fn after_attempts(&self, error: CallError<()>) -> CallError<()> {
        match error {
            CallError::Rejected(_) | CallError::Ledger(_) if self.attempts > 0 => match &self.cause
            {
                Some(cause) => self.unknown(cause.clone(), None),
                None => CallError::Failed(Failure::DidNotHappen, Box::new(self.about())),
            },
            error => error,
        }
    }

    fn about(&self) -> About {
        let budget = self.budget.clone();
        About { budget, ..About::known(&self.plan.admission.id, self.attempts) }
    }

    fn key(&self) -> IdempotencyKey {
        self.plan.admission.id.key.clone()
    }

    fn refuse(&self, refusal: Refusal) -> CallError<()> {
        refused(self.about(), refusal)
    }

    fn unknown(&self, cause: impl Into<String>, escalation: Option<EscalationId>) -> CallError<()> {
        let policy = &self.plan.contract.policy;
        let may_repeat = policy.is_repeatable() && policy.confirm.is_none();
        let may_repeat = may_repeat && self.total < policy.retry.max_total;
        let unknown = UnknownOutcome::new(self.about(), cause.into(), escalation);
        let unknown = UnknownOutcome { may_repeat, ..unknown };
        tracing::warn!(target: "tool_contract", id = %self.plan.admission.id, cause = unknown.cause, "outcome unknown");
        CallError::from(unknown)
    }

    fn cx(&self, timeout_at: Duration, hold: Option<Hold>) -> Cx {
        Cx {
            runtime: self.runtime.clone(),
            inner: OnceLock::new(),
            id: Some(self.plan.admission.id.clone()),
            attempt: self.attempts,
            ends_at: self.plan.caller.deadline_at.unwrap_or(timeout_at).min(timeout_at),
            correlation_id: self.plan.caller.correlation_id.clone(),
            tenant: self.plan.caller.tenant.clone(),
            user: self.plan.caller.user.clone(),
            workflow: self.plan.caller.workflow.clone(),
            downstream: OnceLock::new(),
            deadline_at: self.plan.caller.deadline_at,
            hold,
        }
    }
}
