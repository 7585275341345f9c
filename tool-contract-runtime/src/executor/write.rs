//! Writes: admitted, attempted, decided, settled.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tool_contract_spec::decide::{Decision, NextStep, Progress, decide, delay};
use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::ledger::{
    Admitted, ApprovalId, Attempt, Claim, EscalationId, Refusal, Settled, Settlement, Timestamp,
    Verdict as Settling,
};
use tool_contract_spec::outcome::{Outcome, OutcomeClass};
use tool_contract_spec::policy::InFlight;

use super::attempt::{Driven, Early, Watch, drive};
use super::lease::{Lease, Term};
use super::link::Link;
use super::plan::{Plan, deadline_passed};
use super::{Fuse, Success, Verdict, refused};
use crate::cx::{Cx, Hold};
use crate::error::{About, CallError, Failure, LedgerFailure, Rejected, UnknownOutcome};
use crate::job::{Ended, Found, Job};
use crate::ledger::LedgerError;
use crate::runtime::Runtime;
use crate::saga::Gate;
use crate::tool::BoxFuture;

/// How often an admission is asked for again when its answer was lost. The
/// nonce sees to it that the call finds its own claim.
const ADMISSION_TRIES: u32 = 3;
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
    pub(super) runtime: &'a Runtime,
    pub(super) plan: &'a Plan<'a>,
    pub(super) link: &'a Link,
    fuse: Option<&'a Fuse>,
    /// Attempts of this call.
    pub(super) attempts: u32,
    /// Attempts under the key, this call's included.
    pub(super) total: u32,
    /// Whether nobody claimed the key before.
    is_first: bool,
    /// What of this operation may have happened already, though a repetition
    /// was allowed.
    doubt: Option<String>,
    /// Why the outcome that is being reconciled is unknown.
    pub(super) cause: Option<String>,
    /// When the next attempt may begin, after one that failed.
    rests_until: Duration,
    /// When the first attempt began.
    first_attempt_at: Option<Duration>,
    /// What failed, for the history.
    trace: Vec<Attempt>,
    /// The request whose grant the claim uses.
    grant: Option<ApprovalId>,
}

/// What admission led to.
enum Entered<'a> {
    Replayed(Success),
    Claimed(Claim, Lease<'a>),
    /// It may have happened, and there is a function to ask.
    Unknown,
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
        }
    }

    /// Makes the call.
    pub(super) async fn run(&mut self, job: &mut dyn Job) -> Verdict {
        let mut now = self.plan.caller.began_at;
        for _ in 0..ROUNDS {
            let entered = self.enter(now).await.map_err(|error| self.after_attempts(error))?;
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

    pub(super) fn about(&self) -> About {
        About::known(&self.plan.admission.id, self.attempts)
    }

    fn key(&self) -> IdempotencyKey {
        self.plan.admission.id.key.clone()
    }

    pub(super) fn refuse(&self, refusal: Refusal) -> CallError<()> {
        refused(self.about(), refusal)
    }

    pub(super) fn unknown(
        &self,
        cause: impl Into<String>,
        escalation: Option<EscalationId>,
    ) -> CallError<()> {
        let policy = &self.plan.contract.policy;
        let may_repeat = policy.is_repeatable() && policy.confirm.is_none();
        let may_repeat = may_repeat && self.total < policy.retry.max_total;
        let (about, cause) = (self.about(), cause.into());
        let unknown = UnknownOutcome { about, cause, escalation, may_repeat };
        tracing::warn!(target: "tool_contract", id = %self.plan.admission.id, cause = unknown.cause, "outcome unknown");
        CallError::from(unknown)
    }

    // ---- admit ----

    /// Asks for admission, and waits while another call is in flight. The lease
    /// is counted from `asked_at`, which is no later than the asking.
    async fn enter(&mut self, mut asked_at: Duration) -> Result<Entered<'a>, CallError<()>> {
        loop {
            self.may_begin(asked_at)?;
            let plan = self.plan;
            let admitted = match &plan.gate {
                None => self.admit().await?,
                Some(gate) => Box::pin(self.pass(gate, asked_at)).await?,
            };
            match admitted {
                Admitted::Claimed(claim) => {
                    let id = &self.plan.admission.id;
                    tracing::debug!(target: "tool_contract", %id, fence = claim.fence.0, attempts = claim.attempts, "claimed");
                    self.total = claim.attempts_before;
                    self.is_first = claim.is_first;
                    self.grant.clone_from(&claim.approval);
                    self.runtime.use_up(self.grant.as_ref());
                    let Claim { now, lease_until, .. } = claim;
                    let term = Term { asked_at, now, lease_until };
                    let lease = Lease::new(self.runtime, self.plan, claim.fence, &term);
                    return Ok(Entered::Claimed(claim, lease));
                }
                Admitted::Replay(replay) => {
                    tracing::debug!(target: "tool_contract", id = %self.plan.admission.id, "replayed");
                    return Ok(Entered::Replayed(Success {
                        key: Some(self.key()),
                        attempts: replay.attempts,
                        reminted_from: replay.reminted_from,
                        replay: Some(replay.result),
                        replayed: self.attempts == 0,
                    }));
                }
                Admitted::Refused(Refusal::Unknown { cause, .. })
                    if self.plan.contract.policy.reconcile.is_some() =>
                {
                    self.cause = Some(cause.into_owned());
                    return Ok(Entered::Unknown);
                }
                Admitted::Refused(refusal @ Refusal::InFlight { .. }) => {
                    Box::pin(self.wait_turn(refusal)).await?;
                    asked_at = self.runtime.elapsed();
                }
                Admitted::Refused(refusal) => {
                    self.runtime.notices().tell(&self.plan.admission, &refusal);
                    tracing::debug!(target: "tool_contract", id = %self.plan.admission.id, ?refusal, "refused");
                    return Err(self.refuse(refusal));
                }
            }
        }
    }

    /// Whether anything new may be begun for this caller.
    fn may_begin(&self, now: Duration) -> Result<(), CallError<()>> {
        if self.plan.caller.remaining(now).is_some_and(|left| left.is_zero())
            || self.link.is_abandoned()
        {
            return Err(deadline_passed(self.about()));
        }
        // From here on there may be a claim.
        self.link.begin(self.plan.caller.deadline_at, self.runtime.clock());
        Ok(())
    }

    /// Asks for admission as a step of a saga, which notes it meanwhile; the step
    /// runs only if both were granted.
    async fn pass(&mut self, gate: &Gate, asked_at: Duration) -> Result<Admitted, CallError<()>> {
        gate.check(&self.plan.admission)?;
        let (noted, admitted) = tokio::join!(gate.note(&self.plan.admission), self.admit());
        match (noted, admitted?) {
            (Ok(()), admitted) => Ok(admitted),
            (Err(shut), Admitted::Claimed(claim)) => {
                let Claim { now, lease_until, .. } = claim;
                let term = Term { asked_at, now, lease_until };
                let lease = Lease::new(self.runtime, self.plan, claim.fence, &term);
                self.doubt = claim.in_doubt.then(|| EARLIER.to_owned());
                Err(self.let_go(&lease, 0, shut).await)
            }
            (Err(shut), _) => Err(shut),
        }
    }

    /// Asks the ledger, and asks again for an answer that was lost.
    async fn admit(&self) -> Result<Admitted, CallError<()>> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            match self.plan.ledger.admit(&self.plan.admission).await {
                Ok(admitted) => return Ok(admitted),
                Err(LedgerError::Unavailable(_))
                    if tries < ADMISSION_TRIES && !self.link.is_abandoned() =>
                {
                    tries += 1;
                    self.runtime.clock().pause(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    let failure = LedgerFailure { about: self.about(), error };
                    tracing::warn!(target: "tool_contract", %failure, "not admitted");
                    return Err(CallError::from(failure));
                }
            }
        }
    }

    /// Waits for the call that holds the operation; for no longer than the
    /// deadline, or the time in which a retry of this call could still arrive.
    async fn wait_turn(&self, refusal: Refusal) -> Result<(), CallError<()>> {
        let id = &self.plan.admission.id;
        if self.runtime.holds(id) {
            return Err(CallError::from(Rejected::new(
                super::Code::IN_FLIGHT,
                self.about(),
                "it was called from within itself with its own key, and would wait for itself",
                "give the inner call a key of its own",
            )));
        }
        let policy = &self.plan.contract.policy;
        let now = self.runtime.elapsed();
        let caller = &self.plan.caller;
        let until =
            caller.deadline_at.unwrap_or_else(|| caller.began_at.saturating_add(policy.span()));
        if policy.in_flight == InFlight::Reject || now >= until {
            return Err(self.refuse(refusal));
        }
        let within = until.saturating_sub(now).min(self.runtime.lease() / 3);
        tokio::select! {
            () = self.plan.ledger.changed(id.clone(), within) => {}
            () = self.runtime.clock().alarm(within) => {}
            () = self.link.abandoned() => {}
        }
        Ok(())
    }

    // ---- attempt, decide ----

    /// Attempts under a claim, until something is settled.
    async fn hold(
        &mut self,
        job: &mut dyn Job,
        claim: &Claim,
        lease: &mut Lease<'a>,
    ) -> Result<Round, CallError<()>> {
        let mut used = 0;
        self.cause = None;
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
            if let Some(fuse) = self.fuse {
                fuse.note(ended.outcome.class, self.runtime.elapsed());
            }
            let progress = self.progress(ended.outcome, is_spent);
            let policy = &self.plan.contract.policy;
            let decision = decide(policy, ended.outcome, progress);
            tracing::debug!(
                target: "tool_contract", id = %lease.id, attempt = self.attempts,
                class = %ended.outcome.class, row = ?decision.row, "attempted"
            );
            if ended.outcome.class != OutcomeClass::Success {
                self.note(&ended, began_at, decision.why(policy, ended.outcome, progress));
            }
            if ended.outcome.class == OutcomeClass::SideEffectUnknown {
                self.doubt = Some(ended.error.clone());
            }
            match decision.step {
                NextStep::RetryAfter { floor, ceiling } => {
                    let delay = draw_delay(floor, ceiling);
                    self.rests_until = self.runtime.elapsed().saturating_add(delay);
                    Box::pin(self.back_off(lease, delay)).await;
                }
                NextStep::Continue => return self.succeed(lease, used, claim, ended.result).await,
                step => return Box::pin(self.fail(lease, used, step, ended)).await,
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
    async fn let_go(
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
                format!("no answer within its timeout of {:?}", self.plan.contract.policy.timeout)
            }
            Driven::Panicked(message) => format!("the body panicked: {message}"),
        };
        Ended { outcome: OutcomeClass::SideEffectUnknown.into(), result: None, error }
    }

    /// Lets the caller go at the timeout of a body that cannot be stopped.
    fn early(&self, timeout_at: Duration) -> Early<'a> {
        let cause = "it still runs past its timeout and cannot be stopped; what comes of it will be on record";
        let (about, cause) = (self.about(), cause.to_owned());
        let answer = UnknownOutcome { about, cause, escalation: None, may_repeat: false };
        Early { link: self.link, at: timeout_at, answer: Box::new(answer) }
    }

    pub(super) fn cx(&self, timeout_at: Duration, hold: Option<Hold>) -> Cx {
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

    fn note(&mut self, ended: &Ended, began_at: Duration, decided: String) {
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

    async fn back_off(&self, lease: &mut Lease<'_>, span: Duration) {
        tokio::select! {
            () = lease.rest(span) => {}
            () = self.link.abandoned() => {}
        }
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

    // ---- settle ----

    /// Records that it happened, and answers the caller.
    async fn succeed(
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
    async fn fail(
        &mut self,
        lease: &Lease<'_>,
        used: u32,
        step: NextStep,
        ended: Ended,
    ) -> Result<Round, CallError<()>> {
        if !matches!(step, NextStep::Reconcile | NextStep::Escalate) {
            let delay = self.persisted_delay(ended.outcome);
            let is_counted_on = self.plan.gate.as_ref().is_some_and(|gate| gate.is_counted_on());
            let verdict = if is_counted_on && ended.outcome.class.is_final() {
                Settling::Exhausted
            } else {
                Settling::Released { delay }
            };
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

    fn settlement(&mut self, lease: &Lease<'_>, used: u32, verdict: Settling) -> Settlement {
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
    async fn settle(
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

    /// Asks something of the body's surroundings for as long as an attempt may
    /// take.
    pub(super) async fn ask(&self, asking: BoxFuture<'_, Found>, lease: &mut Lease<'_>) -> Found {
        let timeout = self.plan.contract.policy.timeout;
        let timeout_at = self.runtime.elapsed().saturating_add(timeout);
        let clock = self.runtime.clock();
        let watch = Watch { clock, timeout_at, lease: Some(lease), acts_for: None, early: None };
        match drive(asking, watch).await {
            Driven::Ended(found) => found,
            Driven::TimedOut => {
                Found::CannotTell(format!("the reconcile function took longer than {timeout:?}"))
            }
            Driven::Panicked(message) => {
                Found::CannotTell(format!("the reconcile function panicked: {message}"))
            }
        }
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

/// A delay between floor and ceiling.
pub(super) fn draw_delay(floor: Duration, ceiling: Duration) -> Duration {
    let spread = u64::try_from(ceiling.saturating_sub(floor).as_micros()).unwrap_or(u64::MAX);
    floor.saturating_add(Duration::from_micros(fastrand::u64(0..=spread)))
}
