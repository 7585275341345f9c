//! May it run? The ledger says, and who is in the way is waited for.

use std::time::Duration;

use tool_contract_spec::ledger::{Admitted, Claim, Refusal, Replay};
use tool_contract_spec::policy::InFlight;
use tool_contract_spec::rulebook::Code;

use super::{EARLIER, FIRST_PAUSE, Writing};
use crate::error::{CallError, LedgerFailure, Rejected};
use crate::executor::Success;
use crate::executor::lease::{Lease, Term};
use crate::executor::plan::deadline_passed;
use crate::ledger::LedgerError;
use crate::saga::Gate;

/// How often an admission is asked for again when its answer was lost. The
/// nonce sees to it that the call finds its own claim.
const ADMISSION_TRIES: u32 = 3;

/// What admission led to.
pub(super) enum Entered<'a> {
    Replayed(Success),
    Claimed(Claim, Lease<'a>),
    /// It may have happened, and there is a function to ask.
    Unknown,
}

impl<'a> Writing<'a> {
    /// Asks for admission, and waits while another call is in flight. The lease
    /// is counted from `asked_at`, which is no later than the asking.
    pub(super) async fn enter(
        &mut self,
        mut asked_at: Duration,
    ) -> Result<Entered<'a>, CallError<()>> {
        loop {
            self.may_begin(asked_at)?;
            let plan = self.plan;
            let admitted = match &plan.gate {
                None => self.admit().await?,
                Some(gate) => Box::pin(self.pass(gate, asked_at)).await?,
            };
            match admitted {
                Admitted::Claimed(claim) => return Ok(self.claimed(claim, asked_at)),
                Admitted::Replay(replay) => return Ok(Entered::Replayed(self.replayed(replay))),
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

    fn claimed(&mut self, claim: Claim, asked_at: Duration) -> Entered<'a> {
        let id = &self.plan.admission.id;
        tracing::debug!(target: "tool_contract", %id, fence = claim.fence.0, attempts = claim.attempts, "claimed");
        self.total = claim.attempts_before;
        self.is_first = claim.is_first;
        self.grant.clone_from(&claim.approval);
        self.runtime.use_up(self.grant.as_ref());
        let lease = self.lease(&claim, asked_at);
        Entered::Claimed(claim, lease)
    }

    fn lease(&self, claim: &Claim, asked_at: Duration) -> Lease<'a> {
        let Claim { now, lease_until, .. } = *claim;
        Lease::new(self.runtime, self.plan, claim.fence, &Term { asked_at, now, lease_until })
    }

    fn replayed(&self, replay: Replay) -> Success {
        tracing::debug!(target: "tool_contract", id = %self.plan.admission.id, "replayed");
        Success {
            key: Some(self.key()),
            attempts: replay.attempts,
            reminted_from: replay.reminted_from,
            replay: Some(replay.result),
            replayed: self.attempts == 0,
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
                let lease = self.lease(&claim, asked_at);
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
                Code::IN_FLIGHT,
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
}
