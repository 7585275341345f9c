//! What lets the operation of a saga run: the saga, as long as it is held.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::ledger::{Admission, Terms};
use tool_contract_spec::operation::Fingerprint;
use tool_contract_spec::policy::Contract;
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{Stepped, child_key, fingerprint};

use super::engine::{Engine, Met};
use crate::error::{About, CallError, Rejected};

/// What lets one operation of a saga run.
pub(crate) struct Gate {
    engine: Arc<Engine>,
    number: u32,
    part: Part,
    /// The error of an earlier run, which is this step's for good.
    failed: OnceLock<String>,
}

/// Which part of a step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The call itself.
    Call {
        /// Whether it is the point of no return.
        pivot: bool,
    },
    /// What finds out what came of it, or undoes it.
    Afterwards,
}

impl Gate {
    pub(super) fn new(engine: &Arc<Engine>, number: u32, part: Part) -> Arc<Self> {
        Arc::new(Self { engine: Arc::clone(engine), number, part, failed: OnceLock::new() })
    }

    /// The key of the operation, whatever its contract says of keys.
    pub(crate) fn key(&self, contract: &Contract) -> Result<IdempotencyKey, CallError<()>> {
        child_key(&self.engine.id().key, self.number).map_err(|why| {
            let about = About::tool(contract.name.clone());
            let reason = format!("no key can be made for it from that of its saga: {why}");
            let next = "give the saga a shorter key";
            CallError::from(Rejected::new(Code::KEY_MALFORMED, about, reason, next))
        })
    }

    /// What the operation binds besides its arguments.
    pub(crate) fn bind(&self, given: Option<Fingerprint>) -> Option<Fingerprint> {
        match self.part {
            Part::Call { .. } => Some(fingerprint(self.engine.id(), self.number, given.as_ref())),
            Part::Afterwards => given,
        }
    }

    /// The terms of the operation: it is remembered for no less than its saga, which
    /// answers for it as long as there is a way back.
    pub(crate) fn terms(&self, own: &Arc<Terms>) -> Arc<Terms> {
        let ttl = own.ttl.max(self.engine.ttl());
        let covered = self.part != Part::Afterwards && !self.engine.is_committed();
        if (own.ttl, own.covered) == (ttl, covered) {
            return Arc::clone(own);
        }
        Arc::new(Terms { ttl, covered, ..Terms::clone(own) })
    }

    /// Whether this is the step that the saga made at this place before, if it made
    /// one. Nothing is asked of anybody.
    pub(crate) fn check(&self, admission: &Admission) -> Result<(), CallError<()>> {
        let Part::Call { .. } = self.part else { return Ok(()) };
        match self.engine.meet(&self.stepped(admission)) {
            Ok(Met::Failed(error)) => {
                let about = About::known(&admission.id, 0);
                let reason = format!("it failed in an earlier run of its saga: {error}");
                self.failed.get_or_init(|| error);
                let next = "a saga goes by what came of a step first; a new try is a new key";
                Err(CallError::from(Rejected::new(Code::SAGA_STEP_FAILED, about, reason, next)))
            }
            Ok(Met::New | Met::Known | Met::Read(_)) => Ok(()),
            Err(refused) => Err(refused),
        }
    }

    /// Notes the step in the history of its saga, if it is new there. When this is
    /// `Ok`, the saga was still held by this process.
    pub(crate) async fn note(&self, admission: &Admission) -> Result<(), CallError<()>> {
        match self.part {
            Part::Call { .. } => self.engine.note_step(self.stepped(admission)).await,
            Part::Afterwards => Ok(()),
        }
    }

    /// Sees to it that an effect may begin: the saga is held.
    pub(crate) async fn hold(&self) -> Result<(), CallError<()>> {
        self.engine.hold(self.number).await?;
        self.runs()
    }

    /// Refuses a step of a body that has ended.
    pub(crate) fn runs(&self) -> Result<(), CallError<()>> {
        match self.part {
            Part::Call { .. } => self.engine.runs(self.number),
            Part::Afterwards => Ok(()),
        }
    }

    /// Whether an earlier run made this step: then there may be a result to replay.
    pub(crate) fn is_known(&self) -> bool {
        self.engine.has(self.number)
    }

    /// Whether there is no way back for the saga, so that it counts on this step: if
    /// that fails for good, a person has to look.
    pub(crate) fn is_counted_on(&self) -> bool {
        self.part == Part::Call { pivot: false } && self.engine.is_committed()
    }

    /// Whether it draws from limits: what is undone may not fail for want of room.
    pub(crate) fn draws(&self) -> bool {
        self.part != Part::Afterwards
    }

    /// Whether the saga is held at `now` for certain.
    pub(crate) fn holds_at(&self, now: Duration) -> bool {
        self.engine.holds_at(now) && self.runs().is_ok()
    }

    /// The error of an earlier run, if the step had failed in one.
    pub(super) fn failed_before(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }

    fn stepped(&self, admission: &Admission) -> Stepped {
        Stepped {
            step: self.number,
            tool: admission.id.tool.to_string(),
            hash: admission.hash,
            pivot: self.part == Part::Call { pivot: true },
            noted: None,
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("saga", self.engine.id())
            .field("step", &self.number)
            .finish_non_exhaustive()
    }
}
