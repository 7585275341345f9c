//! What any guard has to do for a write: serialise and hash its arguments, put
//! the claim into a map, run the body, put the result beside the claim.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::tools::{PaymentError, Receipt};

/// A claim, and what came of it.
struct Claim {
    hash: [u8; 32],
    result: Option<String>,
}

/// Remembers claims by their keys.
#[derive(Default)]
pub(crate) struct Floor(Mutex<HashMap<String, Claim>>);

impl Floor {
    /// Runs `body`, and remembers it.
    pub(crate) async fn guard<A: Serialize>(
        &self,
        key: String,
        arguments: A,
        body: impl AsyncFnOnce(A) -> Result<Receipt, PaymentError>,
    ) -> Result<Receipt, PaymentError> {
        let hash = Sha256::digest(serde_json::to_vec(&arguments).unwrap_or_default()).into();
        self.claims().insert(key.clone(), Claim { hash, result: None });
        let receipt = body(arguments).await?;
        let result = serde_json::to_string(&receipt).ok();
        if let Some(claim) = self.claims().get_mut(&key)
            && claim.hash == hash
        {
            claim.result = result;
        }
        Ok(receipt)
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<String, Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
