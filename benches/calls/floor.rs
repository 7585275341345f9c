//! What any guard has to do for a write: serialise and hash its arguments, put
//! the claim into a map, run the body, put the result beside the claim.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::tools::{PaymentError, Receipt, charge};

/// The arguments, as they are hashed.
#[derive(Serialize)]
struct Arguments<'a> {
    cents: u64,
    order_id: &'a str,
}

/// A claim, and what came of it.
struct Claim {
    hash: [u8; 32],
    result: Option<String>,
}

/// Remembers claims by their keys.
#[derive(Default)]
pub(crate) struct Floor(Mutex<HashMap<String, Claim>>);

impl Floor {
    /// Charges, and remembers it.
    pub(crate) async fn charge(
        &self,
        key: String,
        order_id: String,
        cents: u64,
    ) -> Result<Receipt, PaymentError> {
        let arguments =
            serde_json::to_vec(&Arguments { cents, order_id: &order_id }).unwrap_or_default();
        let hash = Sha256::digest(&arguments).into();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), Claim { hash, result: None });
        let receipt = charge(order_id, cents).await?;
        let result = serde_json::to_string(&receipt).ok();
        if let Some(claim) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&key)
            && claim.hash == hash
        {
            claim.result = result;
        }
        Ok(receipt)
    }
}
