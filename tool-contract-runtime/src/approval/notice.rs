//! Telling others that a call waits for a person.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc;
use tool_contract_spec::ledger::{Admission, Refusal, Timestamp};
use tool_contract_spec::operation::OperationHash;

/// A call waits for a person. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApprovalRequested {
    /// The request.
    pub request: Arc<str>,
    /// Whose call it is.
    pub tenant: Option<String>,
    /// The tool.
    pub tool: String,
    /// The key of the operation.
    pub key: String,
    /// What the operation is.
    pub operation_hash: OperationHash,
    /// Its arguments as JSON, secrets left out.
    pub arguments: Arc<str>,
    /// On whose behalf it is made, where the call said so.
    pub requested_by: Option<Arc<str>>,
    /// What ties it to other calls.
    pub correlation_id: Option<Arc<str>>,
    /// Until when it may be granted, in milliseconds since the Unix epoch by the
    /// ledger's clock.
    pub expires_at: Timestamp,
}

/// Those who want to know. What becomes of a notice never touches its call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices {
    listeners: Vec<mpsc::Sender<ApprovalRequested>>,
    #[cfg(feature = "webhook")]
    webhooks: Vec<super::webhook::Sender>,
}

impl Notices {
    pub(crate) fn listen(&mut self, listener: mpsc::Sender<ApprovalRequested>) {
        self.listeners.push(listener);
    }

    #[cfg(feature = "webhook")]
    pub(crate) fn post(&mut self, webhook: super::Webhook) {
        self.webhooks.push(webhook.start());
    }

    /// Tells of the request that this very call left, if it left one: whoever
    /// finds it again has nothing new to tell.
    pub(crate) fn tell(&self, admission: &Admission, refusal: &Refusal) {
        let Refusal::AwaitingApproval { request, expires_at } = refusal else { return };
        if self.is_nobody() || !request.is_by(admission.nonce) {
            return;
        }
        let id = &admission.id;
        let notice = ApprovalRequested {
            request: Arc::clone(&request.0),
            tenant: id.tenant.as_ref().map(ToString::to_string),
            tool: id.tool.to_string(),
            key: id.key.to_string(),
            operation_hash: admission.hash,
            arguments: Arc::clone(&admission.arguments),
            requested_by: admission.requested_by.clone(),
            correlation_id: admission.correlation_id.clone(),
            expires_at: *expires_at,
        };
        for listener in &self.listeners {
            if listener.try_send(notice.clone()).is_err() {
                missed(&notice);
            }
        }
        #[cfg(feature = "webhook")]
        for webhook in &self.webhooks {
            if !webhook.send(&notice) {
                missed(&notice);
            }
        }
    }

    fn is_nobody(&self) -> bool {
        #[cfg(feature = "webhook")]
        if !self.webhooks.is_empty() {
            return false;
        }
        self.listeners.is_empty()
    }
}

/// The request stands all the same: `approvals ls` shows it.
fn missed(notice: &ApprovalRequested) {
    tracing::warn!(target: "tool_contract", request = %notice.request, tool = notice.tool, "nobody was told that it waits: who listens is gone or behind");
}
