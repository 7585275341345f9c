//! A person with a key.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    ApprovalRecord, ApprovalVerdict, Decided, Decision, Record, Signature, Signer, Statement,
    Trust, Verifier,
};

use super::{ApprovalError, Approvers, PrivateKey};
use crate::clock::{Clock as _, SystemClock};
use crate::ledger::Ledger;

/// A person with a key: grants and denies what is on record, in their own
/// process. What they sign counts for runtimes that have their public key.
#[derive(Debug)]
pub struct Approver {
    name: Arc<str>,
    key: PrivateKey,
    trust: Trust,
}

impl Approver {
    /// How long a grant holds at most for which nothing else is said: a day. What
    /// a record says of a contract, somebody may have written.
    pub const LONGEST: Duration = Duration::from_hours(24);

    /// The person `name`, who signs with `key`.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, key: PrivateKey) -> Self {
        let name = name.into();
        let own = Approvers::new().trust(Arc::clone(&name), &key.public().to_string());
        // A name without letters is nobody, and trusted by nobody.
        let trust = own.map(|own| Trust::new(Arc::new(Own(own)))).unwrap_or_default();
        Self { name, key, trust }
    }

    /// What the person says of a request, signed, for
    /// [`decide_approval`](Ledger::decide_approval). Show them `record` first:
    /// with [`preimage`](ApprovalRecord::preimage), what would run.
    ///
    /// [`ApprovalVerdict::GRANT`] holds for as long as the contract on record says,
    /// by this machine's clock, and for [`LONGEST`](Self::LONGEST) at most.
    ///
    /// The person's own key is all that is known here, so the grant goes on record and
    /// is counted where the call is made, for as long as the request stands. To count
    /// it at once, and let the time begin anew, give the decision the trust of the
    /// programs: [`Approvers::into_trust`].
    ///
    /// # Errors
    /// If no request stands, this person made it, or what it is about is not what
    /// its hash is of.
    pub fn sign(
        &self,
        id: &OperationId,
        record: &Record,
        verdict: ApprovalVerdict,
    ) -> Result<Decision, ApprovalError> {
        let Some(approval) = record.approval.as_deref() else {
            return Err(ApprovalError::NothingToDecide);
        };
        let verdict = bounded(verdict, record);
        let (request, by) = (approval.id.clone(), Arc::clone(&self.name));
        if approval.requested_by.as_ref() == Some(&by) {
            return Err(ApprovalError::Requester { request, by });
        }
        if !says_what_runs(id, record, approval) {
            return Err(ApprovalError::Altered { request });
        }
        let signature = self.key.sign(&Statement {
            id,
            hash: &record.hash,
            ignored: approval.ignored(),
            requested_by: approval.requested_by.as_deref(),
            request: &request,
            by: &by,
            verdict: &verdict,
        });
        let (id, trust) = (id.clone(), self.trust.clone());
        Ok(Decision { id, request, by, verdict, signature: Some(signature), trust })
    }

    /// Signs, and puts it on record; whether it counts, and enough others agree, is
    /// told where the call is made.
    ///
    /// # Errors
    /// As for [`sign`](Self::sign); and if this person has agreed already, or the
    /// request is over.
    pub async fn decide(
        &self,
        ledger: &dyn Ledger,
        id: &OperationId,
        verdict: ApprovalVerdict,
    ) -> Result<(), ApprovalError> {
        let record = ledger.find(id.clone()).await?.ok_or(ApprovalError::NothingToDecide)?;
        let decision = self.sign(id, &record, verdict)?;
        let (request, by) = (decision.request.clone(), Arc::clone(&self.name));
        match ledger.decide_approval(decision).await? {
            Decided::Refused(undecided) => Err(ApprovalError::undecided(&undecided, request, by)),
            _ => Ok(()),
        }
    }
}

/// The key of a person who knows no other.
#[derive(Debug)]
struct Own(Approvers);

impl Verifier for Own {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        self.0.signer(statement, signature)
    }

    fn knows_everybody(&self) -> bool {
        false
    }
}

/// A verdict that ends: what is signed without an end could be used for ever.
fn bounded(verdict: ApprovalVerdict, record: &Record) -> ApprovalVerdict {
    if verdict != ApprovalVerdict::GRANT {
        return verdict;
    }
    let ttl = record.terms.confirm.map_or(Approver::LONGEST, |(ttl, _)| ttl);
    let until = SystemClock::new().now().after(ttl.min(Approver::LONGEST));
    ApprovalVerdict::Grant { until }
}

/// Whether the record tells what its hash is of. Who can write the ledger could
/// let it tell of something harmless.
fn says_what_runs(id: &OperationId, record: &Record, approval: &ApprovalRecord) -> bool {
    approval.preimage.as_ref().is_some_and(|preimage| preimage.hash(&id.tool) == record.hash)
}
