//! What a call does, for who must not believe a record.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DOMAIN, OperationHash};

/// What an [`OperationHash`] is of, but for the tool's name; and what is beside it.
///
/// Whoever is asked to agree to a hash can make it anew from this, and so
/// knows what it says, whoever wrote the record. The hash does not cover what is
/// [ignored](Self::ignored): whoever agrees signs that, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preimage {
    /// The version of the tool's contract.
    pub version: u32,
    /// The canonical object of the arguments: secret ones as their HMAC,
    /// ignored ones left out.
    pub arguments: Arc<str>,
    /// What the call binds besides its arguments, in canonical form.
    pub fingerprint: Option<Arc<str>>,
    /// The canonical object of the ignored arguments, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Arc<str>>,
}

impl Preimage {
    /// The hash of a call of `tool`.
    #[must_use]
    pub fn hash(&self, tool: &str) -> OperationHash {
        let version = self.version.to_string();
        let mut hash = Sha256::new();
        for part in [DOMAIN, tool, "\0", &version, "\0", &self.arguments] {
            hash.update(part);
        }
        if let Some(fingerprint) = &self.fingerprint {
            hash.update("\0");
            hash.update(&**fingerprint);
        }
        OperationHash::from_bytes(hash.finalize().into())
    }
}
