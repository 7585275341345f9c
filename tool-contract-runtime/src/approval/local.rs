//! Approval by whoever has the runtime.

use std::sync::Arc;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    ApprovalId, ApprovalVerdict, Decided, Decision, Record, StateName,
};

use super::{Approval, ApprovalError, PendingApproval};
use crate::ledger::{Ledger, LedgerError, Pages, Query};
use crate::runtime::Runtime;
use crate::tool::Tool;

/// Grants and denies in this process, under whatever name it was given.
///
/// **Insecure**: anybody who has the runtime can approve anything with it. It
/// is for development and tests, and counts only where the runtime was built with
/// [`insecure_local_approvals`](crate::RuntimeBuilder::insecure_local_approvals).
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

    /// Where an operation is found whose request somebody decides on.
    const DECIDABLE: [StateName; 5] = [
        StateName::AwaitingApproval,
        StateName::Approved,
        StateName::Denied,
        StateName::Released,
        StateName::Running,
    ];

    /// Calls that wait for a person; at most [`Query::MOST`]. What nobody can
    /// grant any more is left out.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, ApprovalError> {
        let now = self.runtime.clock().now();
        let (mut waiting, mut pages) = (Vec::new(), self.pages(StateName::AwaitingApproval)?);
        while waiting.len() < Query::MOST
            && let Some(page) = pages.next().await?
        {
            waiting.extend(page.into_iter().filter_map(|(id, record)| {
                let approval = record.approval.filter(|approval| approval.expires_at > now)?;
                let (request, requested_by) = (approval.id, approval.requested_by);
                Some(Waiting { request, id, arguments: record.arguments, requested_by })
            }));
        }
        waiting.truncate(Query::MOST);
        Ok(waiting)
    }

    /// Operations in one state.
    fn pages(&self, state: StateName) -> Result<Pages<'_>, LedgerError> {
        let query = Query { state: Some(state), ..Query::default() };
        Ok(Pages::of(&**self.ledger()?, query))
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
        self.decide(pending.operation().clone(), request.clone(), ApprovalVerdict::GRANT).await?;
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
        self.decide(pending.operation().clone(), request, ApprovalVerdict::Deny { why: why.into() })
            .await
    }

    /// Agrees to a request by its name, as a dynamic call's response gives it.
    ///
    /// # Errors
    /// If the decision does not count, or does not complete the quorum.
    pub async fn grant_request(&self, request: &ApprovalId) -> Result<(), ApprovalError> {
        let id = self.operation(request).await?;
        self.decide(id, request.clone(), ApprovalVerdict::GRANT).await
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
        let is_asked_by = |record: &Record| {
            record.approval.as_ref().is_some_and(|approval| approval.id == *request)
        };
        for state in Self::DECIDABLE {
            let mut pages = self.pages(state)?;
            while let Some(page) = pages.next().await? {
                if let Some((id, _)) = page.into_iter().find(|(_, record)| is_asked_by(record)) {
                    return Ok(id);
                }
            }
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
        let decision = Decision {
            id,
            request: request.clone(),
            by: Arc::clone(&by),
            verdict,
            signature: None,
            trust: self.runtime.trust().clone(),
        };
        let decided = self.ledger()?.decide_approval(decision).await?;
        tracing::debug!(target: "tool_contract", %request, %by, ?decided, "approval decided");
        match decided {
            Decided::Granted { .. } | Decided::Recorded | Decided::Denied => Ok(()),
            Decided::Pending { missing } => Err(ApprovalError::Quorum { request, by, missing }),
            Decided::Refused(undecided) => Err(ApprovalError::undecided(&undecided, request, by)),
        }
    }
}
