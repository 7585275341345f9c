//! Asking people, and counting their yes.
//!
//! A call of a destructive tool leaves a request in the ledger. People other than
//! the requester grant or deny it, and the step that claims the call counts who
//! agreed. A no outweighs every yes, and counts until the call has begun. With [`Approvers`] only what they signed counts, so whoever else
//! writes the ledger, an agent's own process among them, cannot get a call to
//! run; without, the runtime has to say that it is
//! [insecure](crate::RuntimeBuilder::insecure_local_approvals).
//!
//! # What a signature does not prevent
//!
//! A grant is spent in the step that claims, and that it is spent stands in the
//! ledger. Who can write the ledger, and kept what stood there before, can put all of
//! it back, history and fence included: nothing in a ledger can show what the ledger
//! does not say. So an approved call can be made to run again, and exactly this far:
//!
//! - the same tool, key, arguments, tenant and requester, and nothing else;
//! - in a process whose runtime has not used that grant itself: each
//!   remembers the last 10,000 that it used, until it ends;
//! - until the time that the grant was signed for: what the contract's `confirm(ttl =
//!   ..)` says, and a day at most, unless the person themselves chose another.
//!
//! Who can write the ledger can keep people from being heard, and no more: a grant or
//! a refusal that nobody signed who counts is none, and of the grants of one request the
//! [newest](tool_contract_spec::ledger::Ballot::MOST) are looked at; who is crowded out
//! signs again.
//!
//! Who puts back the record alone, and not its history, is found out by `tool-contract
//! ledger verify`. Let the `ttl` be short, and let the other side dedupe on
//! [`idempotency_key`](crate::Cx::idempotency_key), which is the same for both runs.

#[cfg(feature = "approvals")]
mod approver;
#[cfg(feature = "approvals")]
mod approvers;
mod error;
#[cfg(feature = "approvals")]
mod keys;
mod local;
mod notice;
#[cfg(feature = "approvals")]
mod spent;
#[cfg(feature = "webhook")]
mod webhook;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    Admission, Admitted, ApprovalId, Ballot, Denial, Intent, Record, Refusal, State,
};

#[cfg(feature = "approvals")]
pub use self::approver::Approver;
#[cfg(feature = "approvals")]
pub use self::approvers::{Approvers, ApproversError};
pub use self::error::ApprovalError;
#[cfg(feature = "approvals")]
pub use self::keys::{KeyError, PrivateKey, PublicKey};
pub use self::local::{InsecureLocalApprover, Waiting};
pub use self::notice::ApprovalRequested;
pub(crate) use self::notice::Notices;
#[cfg(feature = "approvals")]
pub(crate) use self::spent::Spent;
#[cfg(feature = "webhook")]
pub use self::webhook::{Webhook, WebhookError};
use crate::call::Meta;
use crate::clock::Clock;
use crate::error::{About, CallError, LedgerFailure};
use crate::executor::{Caller, admission, callable, ledger, refused};
use crate::job::TypedJob;
use crate::ledger::Ledger;
use crate::runtime::Runtime;
use crate::tool::{BoxFuture, Tool};

/// How long one look at a pending request lasts at most.
const LOOK: Duration = Duration::from_secs(1);

/// A person's yes to one call of the tool `T`.
///
/// It cannot be cloned, is moved into the call that it is for, and is bound to
/// that call's tenant, key and arguments; the ledger spends it in the step that
/// claims the call.
#[must_use = "an approval is for one call: `.approved(approval)`"]
pub struct Approval<T> {
    /// `None` if the call succeeded before: then it only replays.
    request: Option<ApprovalId>,
    tool: PhantomData<fn() -> T>,
}

impl<T> Approval<T> {
    const fn new(request: Option<ApprovalId>) -> Self {
        Self { request, tool: PhantomData }
    }

    pub(crate) fn into_id(self) -> Option<ApprovalId> {
        self.request
    }
}

impl<T> fmt::Debug for Approval<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Approval").field(&self.request).finish()
    }
}

/// A request for approval, on record.
pub struct PendingApproval<T: Tool> {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    /// What is asked for.
    asking: Admission,
    request: Option<ApprovalId>,
    tool: PhantomData<fn() -> T>,
}

impl<T: Tool> PendingApproval<T> {
    /// Its name, for the person who decides; `None` if the call succeeded
    /// before and needs no approval to be replayed.
    #[must_use]
    pub const fn request(&self) -> Option<&ApprovalId> {
        self.request.as_ref()
    }

    /// The operation that waits, for the ledger's `find`.
    #[must_use]
    pub const fn operation(&self) -> &OperationId {
        &self.asking.id
    }

    /// The approval, if it has been granted by people who count.
    ///
    /// # Errors
    /// If it was denied, has expired, or the ledger could not be asked.
    pub async fn granted(&self) -> Result<Option<Approval<T>>, ApprovalError> {
        Ok(match self.look().await? {
            Standing::Granted => Some(Approval::new(self.request.clone())),
            Standing::Pending | Standing::Uncounted => None,
        })
    }

    /// Waits until it is granted.
    ///
    /// # Errors
    /// If it is denied, expires, or the ledger cannot be asked.
    pub async fn wait(&self) -> Result<Approval<T>, ApprovalError> {
        loop {
            match self.look().await? {
                Standing::Granted => return Ok(Approval::new(self.request.clone())),
                Standing::Pending => self.ledger.changed(self.asking.id.clone(), LOOK).await,
                // A ledger wakes nobody who waits for what it thinks is granted.
                Standing::Uncounted => self.clock.pause(LOOK).await,
            }
        }
    }

    async fn look(&self) -> Result<Standing, ApprovalError> {
        let Some(request) = &self.request else { return Ok(Standing::Granted) };
        let record = self.ledger.find(self.asking.id.clone()).await?;
        standing(record.as_ref(), request, &self.asking.ballot(self.clock.now()))
    }
}

impl<T: Tool> fmt::Debug for PendingApproval<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingApproval")
            .field("id", &self.asking.id)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// Where a request stands.
enum Standing {
    Pending,
    /// It is granted or refused, as the ledger has it; who did that does not count.
    Uncounted,
    Granted,
}

/// The ballot's time is this process's and decides nothing: it only ends a wait
/// for what nobody can grant any more. The ledger's time decides at the call.
fn standing(
    record: Option<&Record>,
    request: &ApprovalId,
    ballot: &Ballot<'_>,
) -> Result<Standing, ApprovalError> {
    let gone = || ApprovalError::Gone { request: request.clone() };
    let record = record.ok_or_else(gone)?;
    let approval =
        record.approval.as_ref().filter(|approval| approval.id == *request).ok_or_else(gone)?;
    if let Some(Denial { by, why, .. }) = &approval.denied
        && ballot.is_refused(approval)
    {
        let (request, by, why) = (request.clone(), Arc::clone(by), Arc::clone(why));
        return Err(ApprovalError::Denied { request, by, why });
    }
    if approval.expires_at <= ballot.now {
        return Err(gone());
    }
    match &record.state {
        // A refusal that counts was told above.
        State::AwaitingApproval
        | State::Approved
        | State::Released { .. }
        | State::Denied { .. }
            if ballot.is_granted(approval) =>
        {
            Ok(Standing::Granted)
        }
        State::AwaitingApproval => Ok(Standing::Pending),
        State::Approved | State::Denied { .. } => Ok(Standing::Uncounted),
        _ => Err(gone()),
    }
}

/// Leaves a durable request for the approval of this very call.
pub(crate) fn request<T: Tool>(
    runtime: &Runtime,
    arguments: T,
    meta: Meta,
) -> BoxFuture<'static, Result<PendingApproval<T>, CallError<T::Error>>> {
    let runtime = runtime.clone();
    Box::pin(async move {
        let (ledger, admission) =
            prepare(&runtime, arguments, &meta).map_err(CallError::untyped)?;
        let request = ask(&runtime, &*ledger, &admission).await.map_err(CallError::untyped)?;
        let clock = Arc::clone(runtime.clock());
        Ok(PendingApproval { ledger, clock, asking: admission, request, tool: PhantomData })
    })
}

/// What is to be asked, checked before the ledger is; and the ledger.
fn prepare<T: Tool>(
    runtime: &Runtime,
    arguments: T,
    meta: &Meta,
) -> Result<(Arc<dyn Ledger>, Admission), CallError<()>> {
    let entry = runtime.entry::<T>();
    callable(&entry)?;
    let contract = T::contract();
    let caller = Caller::of(runtime, contract, meta)?;
    let job = TypedJob::new(arguments);
    let admission = admission(runtime, &entry, &job, meta, &caller, Intent::RequestApproval)?;
    Ok((Arc::clone(ledger(runtime, contract)?), admission))
}

async fn ask(
    runtime: &Runtime,
    ledger: &dyn Ledger,
    admission: &Admission,
) -> Result<Option<ApprovalId>, CallError<()>> {
    let id = &admission.id;
    let about = About::known(id, 0);
    match ledger.admit(admission).await {
        Ok(Admitted::Replay(_)) => Ok(None),
        Ok(Admitted::Refused(refusal)) => {
            runtime.notices().tell(admission, &refusal);
            match refusal {
                Refusal::AwaitingApproval { request, .. } | Refusal::Approved { request, .. } => {
                    tracing::debug!(target: "tool_contract", %id, %request, "approval requested");
                    Ok(Some(request))
                }
                refusal => Err(refused(about, refusal)),
            }
        }
        // A ledger never answers so to a request for approval; if one does,
        // its lease ends what nobody will use.
        Ok(Admitted::Claimed(_)) => Err(refused(about, Refusal::WrongApproval)),
        Err(error) => Err(CallError::from(LedgerFailure { about, error })),
    }
}
