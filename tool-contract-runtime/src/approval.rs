//! Asking a person.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    Admission, Admitted, ApprovalId, ApprovalVerdict, Decided, Decision, Intent, Record, Refusal,
    State, StateName, Timestamp, Undecided,
};

use crate::call::Meta;
use crate::clock::Clock;
use crate::error::{About, CallError, LedgerFailure};
use crate::executor::{Caller, admission, callable, ledger, refused};
use crate::job::TypedJob;
use crate::ledger::{Ledger, LedgerError, Query};
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
    id: OperationId,
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

    /// The approval, if it has been granted.
    ///
    /// # Errors
    /// If it was denied, has expired, or the ledger could not be asked.
    pub async fn granted(&self) -> Result<Option<Approval<T>>, ApprovalError> {
        let Some(request) = &self.request else { return Ok(Some(Approval::new(None))) };
        let record = self.ledger.find(self.id.clone()).await?;
        match standing(record.as_ref(), request, self.clock.now()) {
            Standing::Granted => Ok(Some(Approval::new(Some(request.clone())))),
            Standing::Pending => Ok(None),
            Standing::Denied { by, why } => {
                Err(ApprovalError::Denied { request: request.clone(), by, why })
            }
            Standing::Gone => Err(ApprovalError::Gone { request: request.clone() }),
        }
    }

    /// Waits until it is granted.
    ///
    /// # Errors
    /// If it is denied, expires, or the ledger cannot be asked.
    pub async fn wait(&self) -> Result<Approval<T>, ApprovalError> {
        loop {
            if let Some(approval) = self.granted().await? {
                return Ok(approval);
            }
            self.ledger.changed(self.id.clone(), LOOK).await;
        }
    }
}

impl<T: Tool> fmt::Debug for PendingApproval<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingApproval")
            .field("id", &self.id)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// Where a request stands.
enum Standing {
    Pending,
    Granted,
    Denied { by: Arc<str>, why: Arc<str> },
    Gone,
}

/// `now` is this process's time and decides nothing: it only ends a wait for
/// what nobody can grant any more. The ledger's time decides at the call.
fn standing(record: Option<&Record>, request: &ApprovalId, now: Timestamp) -> Standing {
    let Some(record) = record else { return Standing::Gone };
    let Some(approval) = record.approval.as_ref().filter(|approval| approval.id == *request) else {
        return Standing::Gone;
    };
    match (&record.state, &approval.denied) {
        (_, Some(denial)) => {
            Standing::Denied { by: Arc::clone(&denial.by), why: Arc::clone(&denial.why) }
        }
        _ if approval.expires_at <= now => Standing::Gone,
        (State::Approved | State::Released { .. }, None) if approval.is_granted() => {
            Standing::Granted
        }
        (State::AwaitingApproval, None) => Standing::Pending,
        _ => Standing::Gone,
    }
}

/// Why there is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// A person refused.
    #[error("{request} was refused by {by} [TC0210]: {why}; the call was not run")]
    Denied {
        /// The request.
        request: ApprovalId,
        /// Who refused.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// It expired, was spent, or never was.
    #[error(
        "{request} has expired, was spent or never was [TC0211]; ask again with `.request_approval(..)`"
    )]
    Gone {
        /// The request.
        request: ApprovalId,
    },
    /// Who asked may not decide.
    #[error("{by} asked for {request} and may not decide on it; another person has to")]
    Requester {
        /// The request.
        request: ApprovalId,
        /// Who asked.
        by: Arc<str>,
    },
    /// A quorum is of different people.
    #[error("{by} has agreed to {request} already; another person has to")]
    Again {
        /// The request.
        request: ApprovalId,
        /// Who agreed.
        by: Arc<str>,
    },
    /// More people have to agree.
    #[error("{by} agreed to {request}, and {missing} more have to")]
    Quorum {
        /// The request.
        request: ApprovalId,
        /// Who agreed.
        by: Arc<str>,
        /// How many are missing.
        missing: u32,
    },
    /// The call succeeded before: there is nothing to decide.
    #[error("the call succeeded before; call it again to get its result, which needs no approval")]
    NothingToDecide,
    /// The ledger could not be asked.
    #[error("the ledger could not be asked: {0}")]
    Ledger(#[from] LedgerError),
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
        let (ledger, id, request) = ask(ledger, admission).await.map_err(CallError::untyped)?;
        let clock = Arc::clone(runtime.clock());
        Ok(PendingApproval { ledger, clock, id, request, tool: PhantomData })
    })
}

type Asked = (Arc<dyn Ledger>, OperationId, Option<ApprovalId>);

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

async fn ask(ledger: Arc<dyn Ledger>, admission: Admission) -> Result<Asked, CallError<()>> {
    let id = admission.id.clone();
    let about = About::known(&id, 0);
    match ledger.admit(&admission).await {
        Ok(Admitted::Replay(_)) => Ok((ledger, id, None)),
        Ok(Admitted::Refused(
            Refusal::AwaitingApproval { request, .. } | Refusal::Approved { request, .. },
        )) => {
            tracing::debug!(target: "tool_contract", %id, %request, "approval requested");
            Ok((ledger, id, Some(request)))
        }
        Ok(Admitted::Refused(refusal)) => Err(refused(about, refusal)),
        // A ledger never answers so to a request for approval; if one does,
        // its lease ends what nobody will use.
        Ok(Admitted::Claimed(_)) => Err(refused(about, Refusal::WrongApproval)),
        Err(error) => Err(CallError::from(LedgerFailure { about, error })),
    }
}

/// Grants and denies in this process, under whatever name it was given.
///
/// **Insecure**: anybody who has the runtime can approve anything with it. It
/// is for development and tests.
#[derive(Debug, Clone)]
pub struct InsecureLocalApprover {
    runtime: Runtime,
    name: Arc<str>,
}

/// A call that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The request.
    pub request: ApprovalId,
    /// Which operation.
    pub id: OperationId,
    /// Its arguments as JSON, secrets left out.
    pub arguments: Arc<str>,
    /// On whose behalf it is made, where the call said so.
    pub requested_by: Option<Arc<str>>,
}

impl InsecureLocalApprover {
    pub(crate) const fn new(runtime: Runtime, name: Arc<str>) -> Self {
        Self { runtime, name }
    }

    /// Calls that wait for a person; at most [`Query::MOST`]. What nobody can
    /// grant any more is left out.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, ApprovalError> {
        let now = self.runtime.clock().now();
        let mut waiting = Vec::new();
        let mut page = self.page(None).await?;
        while let Some((last, _)) = page.last() {
            let after = last.clone();
            waiting.extend(page.into_iter().filter_map(|(id, record)| {
                let approval = record.approval.filter(|approval| approval.expires_at > now)?;
                let (request, requested_by) = (approval.id, approval.requested_by);
                Some(Waiting { request, id, arguments: record.arguments, requested_by })
            }));
            if waiting.len() >= Query::MOST {
                waiting.truncate(Query::MOST);
                break;
            }
            page = self.page(Some(after)).await?;
        }
        Ok(waiting)
    }

    /// Operations that wait for a person, those after `after`.
    async fn page(
        &self,
        after: Option<OperationId>,
    ) -> Result<Vec<(OperationId, Record)>, LedgerError> {
        let query = Query { state: Some(StateName::AwaitingApproval), after, ..Query::default() };
        self.ledger()?.list(query).await
    }

    /// Agrees to a typed request.
    ///
    /// # Errors
    /// If the decision does not count, or does not complete the quorum.
    pub async fn grant<T: Tool>(
        &self,
        pending: &PendingApproval<T>,
    ) -> Result<Approval<T>, ApprovalError> {
        let request = pending.request.clone().ok_or(ApprovalError::NothingToDecide)?;
        self.decide(pending.id.clone(), request.clone(), ApprovalVerdict::Grant).await?;
        Ok(Approval::new(Some(request)))
    }

    /// Refuses a typed request.
    ///
    /// # Errors
    /// If the decision does not count.
    pub async fn deny<T: Tool>(
        &self,
        pending: &PendingApproval<T>,
        why: &str,
    ) -> Result<(), ApprovalError> {
        let request = pending.request.clone().ok_or(ApprovalError::NothingToDecide)?;
        self.decide(pending.id.clone(), request, ApprovalVerdict::Deny { why: why.into() }).await
    }

    /// Agrees to a request by its name, as a dynamic call's response gives it.
    ///
    /// # Errors
    /// If the decision does not count, or does not complete the quorum.
    pub async fn grant_request(&self, request: &ApprovalId) -> Result<(), ApprovalError> {
        let id = self.operation(request).await?;
        self.decide(id, request.clone(), ApprovalVerdict::Grant).await
    }

    /// Refuses a request by its name.
    ///
    /// # Errors
    /// If the decision does not count.
    pub async fn deny_request(&self, request: &ApprovalId, why: &str) -> Result<(), ApprovalError> {
        let id = self.operation(request).await?;
        self.decide(id, request.clone(), ApprovalVerdict::Deny { why: why.into() }).await
    }

    async fn operation(&self, request: &ApprovalId) -> Result<OperationId, ApprovalError> {
        let mut page = self.page(None).await?;
        while let Some((last, _)) = page.last() {
            let after = last.clone();
            let is_asked_by = |record: &Record| {
                record.approval.as_ref().is_some_and(|approval| approval.id == *request)
            };
            if let Some((id, _)) = page.into_iter().find(|(_, record)| is_asked_by(record)) {
                return Ok(id);
            }
            page = self.page(Some(after)).await?;
        }
        Err(ApprovalError::Gone { request: request.clone() })
    }

    fn ledger(&self) -> Result<&Arc<dyn Ledger>, LedgerError> {
        let none = || LedgerError::Unavailable("the runtime was built without one".to_owned());
        self.runtime.ledger().ok_or_else(none)
    }

    async fn decide(
        &self,
        id: OperationId,
        request: ApprovalId,
        verdict: ApprovalVerdict,
    ) -> Result<(), ApprovalError> {
        let by = Arc::clone(&self.name);
        let decision = Decision { id, request: request.clone(), by: Arc::clone(&by), verdict };
        let decided = self.ledger()?.decide_approval(decision).await?;
        tracing::debug!(target: "tool_contract", %request, %by, ?decided, "approval decided");
        match decided {
            Decided::Granted { .. } | Decided::Denied => Ok(()),
            Decided::Pending { missing } => Err(ApprovalError::Quorum { request, by, missing }),
            Decided::Refused(Undecided::NoRequest { .. }) => Err(ApprovalError::Gone { request }),
            Decided::Refused(Undecided::Requester) => Err(ApprovalError::Requester { request, by }),
            Decided::Refused(Undecided::Again) => Err(ApprovalError::Again { request, by }),
        }
    }
}
