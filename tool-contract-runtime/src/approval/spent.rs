//! Grants that were used here.

use std::collections::{HashSet, VecDeque};
use std::sync::PoisonError;

use tool_contract_spec::ledger::{ApprovalId, Signature, Signer, Statement, Verifier};

use super::Approvers;
use crate::sync::Mutex;

/// The requests whose grants this runtime used. The ledger spends a grant in the
/// step that claims; who writes the ledger could write it back, and this keeps
/// such a grant from being used here once more. Elsewhere it holds until it ends: the
/// [module](super) says how far that goes.
#[derive(Debug)]
pub(crate) struct Spent {
    approvers: Approvers,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    requests: HashSet<ApprovalId>,
    /// Oldest first; those that were given back stay here.
    order: VecDeque<ApprovalId>,
}

impl Spent {
    /// How many requests are remembered; a grant has ended long before.
    const MOST: usize = 10_000;

    pub(crate) fn new(approvers: Approvers) -> Self {
        Self { approvers, memory: Mutex::default() }
    }

    /// A call was claimed with this request's grant.
    pub(crate) fn use_up(&self, request: &ApprovalId) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.requests.insert(request.clone()) {
            memory.order.push_back(request.clone());
        }
        if memory.order.len() > Self::MOST
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.requests.remove(&oldest);
        }
    }

    /// Nothing happened: it may be used again.
    pub(crate) fn give_back(&self, request: &ApprovalId) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).requests.remove(request);
    }
}

impl Verifier for Spent {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let is_spent = memory.requests.contains(statement.request);
        drop(memory);
        if is_spent { None } else { self.approvers.signer(statement, signature) }
    }
}
