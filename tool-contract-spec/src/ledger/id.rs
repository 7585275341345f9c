//! The names that the ledger gives.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::Chain;

/// Guards every write by a holder: it grows with each claim of the ledger, so
/// that one who was superseded can be told from the one who holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fence(pub u64);

impl Fence {
    /// Smaller than any fence of a ledger.
    pub const NONE: Self = Self(0);
}

/// Names one call, so that a call whose reply was lost finds its own claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(pub u128);

/// Names one runtime in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holder(pub u128);

/// Names a request for approval.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalId(pub Arc<str>);

impl ApprovalId {
    /// The request that the call `nonce` made at the end of `chain`. Should the
    /// call be delivered twice, its second request is another one: a decision on
    /// the first says nothing of it.
    #[must_use]
    pub fn of(nonce: Nonce, chain: &Chain) -> Self {
        let name = format!("apr_{:032x}", nonce.0);
        if chain.length == 0 {
            Self(name.into())
        } else {
            Self(format!("{name}_{}", chain.length).into())
        }
    }

    /// Whether the call `nonce` made this request.
    #[must_use]
    pub fn is_by(&self, nonce: Nonce) -> bool {
        let rest = self.0.strip_prefix(&format!("apr_{:032x}", nonce.0));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names what waits for a person: an outcome that is unknown, or a key that has
/// had all its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EscalationId(pub Arc<str>);

impl EscalationId {
    /// The escalation that the newest event of `chain` began.
    #[must_use]
    pub fn of(chain: &Chain) -> Self {
        let name = chain
            .head
            .iter()
            .take(8)
            .fold(String::from("esc_"), |name, byte| format!("{name}{byte:02x}"));
        Self(name.into())
    }
}

impl fmt::Display for EscalationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
