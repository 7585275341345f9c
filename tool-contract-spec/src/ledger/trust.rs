//! Whose yes counts.
//!
//! A ledger is written by whoever can reach it, an agent's process included. So
//! a grant on record is a claim like any other: what makes it count is a
//! signature over all that it is for, by somebody whom the runtime that wants to
//! run knows. The check is made within the step that claims, over the call's own
//! operation and requester, and nothing that a record says of them is believed.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{
    ApprovalId, ApprovalRecord, ApprovalVerdict, Denial, Grant, Signature, Statement, Timestamp,
};
use crate::key::OperationId;
use crate::operation::OperationHash;

/// Tells who signed. It is asked within the atomic step of a ledger, and more
/// than once: it answers from memory, and always alike.
pub trait Verifier: fmt::Debug + Send + Sync {
    /// The key with which `statement` was signed, if it is one of its
    /// [`by`](Statement::by).
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer>;

    /// Whether it knows everybody whose yes counts. With one that does not, such as
    /// that of a person who has only their own key, a grant goes on record and
    /// completes nothing: it is counted where the call is made.
    fn knows_everybody(&self) -> bool {
        true
    }
}

/// Names a key. Names that have one key are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signer(pub [u8; 32]);

/// Whose decisions count for a runtime; nobody's, where nothing is said.
#[derive(Clone, Default)]
pub struct Trust(Option<Arc<dyn Verifier>>);

impl Trust {
    /// Trusts whom `verifier` knows.
    #[must_use]
    pub fn new(verifier: Arc<dyn Verifier>) -> Self {
        Self(Some(verifier))
    }

    /// Trusts every name, and wants no signature: **whoever can write the ledger
    /// can approve anything**.
    #[must_use]
    pub fn insecure() -> Self {
        Self(Some(Arc::new(Anybody)))
    }

    /// Whether anybody is trusted.
    #[must_use]
    pub const fn is_somebody(&self) -> bool {
        self.0.is_some()
    }

    /// Who signed, if that counts.
    #[must_use]
    pub fn signer(
        &self,
        statement: &Statement<'_>,
        signature: Option<&Signature>,
    ) -> Option<Signer> {
        self.0.as_ref()?.signer(statement, signature)
    }

    /// Whether it knows everybody whose yes counts.
    #[must_use]
    pub fn knows_everybody(&self) -> bool {
        self.0.as_ref().is_some_and(|verifier| verifier.knows_everybody())
    }
}

/// The same trust is that of the same verifier.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Trust {}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Nobody"),
            Some(verifier) => verifier.fmt(f),
        }
    }
}

/// Takes a name for a person.
#[derive(Debug)]
struct Anybody;

impl Verifier for Anybody {
    fn signer(&self, statement: &Statement<'_>, _: Option<&Signature>) -> Option<Signer> {
        Some(Signer(Sha256::digest(statement.by).into()))
    }
}

/// What a request for approval is for, as the one sees it who counts.
#[derive(Debug, Clone, Copy)]
pub struct Ballot<'a> {
    /// The operation.
    pub id: &'a OperationId,
    /// What it does.
    pub hash: &'a OperationHash,
    /// The arguments that the hash leaves out.
    pub ignored: Option<&'a str>,
    /// On whose behalf.
    pub requested_by: Option<&'a str>,
    /// Whose decisions count.
    pub trust: &'a Trust,
    /// The time of the ledger.
    pub now: Timestamp,
}

impl Ballot<'_> {
    /// How many grants of one request are looked at, and kept: the newest. More are not
    /// the work of people. Who can write the ledger can crowd out what people signed, but
    /// not for good: they may sign again.
    pub const MOST: usize = 256;

    /// Who agreed, each once, be it under two names or with two keys. Who asked
    /// is none of them, nor is anybody whose grant is over.
    #[must_use]
    pub fn people<'r>(&self, approval: &'r ApprovalRecord) -> Vec<(&'r Grant, Signer)> {
        let mut people: Vec<(&Grant, Signer)> = Vec::new();
        for grant in approval.grants.iter().rev().take(Self::MOST) {
            if grant.until <= self.now || self.requested_by == Some(&*grant.by) {
                continue;
            }
            let verdict = ApprovalVerdict::Grant { until: grant.until };
            let statement = self.statement(&approval.id, &grant.by, &verdict);
            let Some(signer) = self.trust.signer(&statement, grant.signature.as_ref()) else {
                continue;
            };
            if !includes(&people, &grant.by, signer) {
                people.push((grant, signer));
            }
        }
        people
    }

    /// Whether this person, or this key, agreed.
    #[must_use]
    pub fn has_agreed(&self, approval: &ApprovalRecord, by: &str, signer: Signer) -> bool {
        includes(&self.people(approval), by, signer)
    }

    /// Whether enough people agreed, and nobody refused.
    #[must_use]
    pub fn is_granted(&self, approval: &ApprovalRecord) -> bool {
        !self.is_refused(approval) && self.missing(approval) == 0
    }

    /// Whether somebody who counts refused.
    #[must_use]
    pub fn is_refused(&self, approval: &ApprovalRecord) -> bool {
        let before = approval.denied_before.iter().rev().take(Self::MOST);
        let mut said = approval.denied.iter().chain(before);
        said.any(|denial| self.is_denied(approval, denial))
    }

    /// How many more people must agree.
    #[must_use]
    pub fn missing(&self, approval: &ApprovalRecord) -> u32 {
        let given = u32::try_from(self.people(approval).len()).unwrap_or(u32::MAX);
        approval.quorum.max(1).saturating_sub(given)
    }

    /// Whether this refusal is of somebody who counts.
    #[must_use]
    pub fn is_denied(&self, approval: &ApprovalRecord, denial: &Denial) -> bool {
        let verdict = ApprovalVerdict::Deny { why: Arc::clone(&denial.why) };
        let statement = self.statement(&approval.id, &denial.by, &verdict);
        self.trust.signer(&statement, denial.signature.as_ref()).is_some()
    }

    fn statement<'s>(
        &'s self,
        request: &'s ApprovalId,
        by: &'s str,
        verdict: &'s ApprovalVerdict,
    ) -> Statement<'s> {
        let Self { id, hash, ignored, requested_by, .. } = *self;
        Statement { id, hash, ignored, requested_by, request, by, verdict }
    }
}

fn includes(people: &[(&Grant, Signer)], by: &str, signer: Signer) -> bool {
    people.iter().any(|(grant, known)| *grant.by == *by || *known == signer)
}
