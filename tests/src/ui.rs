//! What the cases in `ui/` presuppose: each of them is about one thing, and
//! leaves the rest to here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::ToolError;

/// An output.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// What it is for.
    pub order_id: String,
}

/// An error with a class for each variant.
#[derive(Debug, thiserror::Error, ToolError)]
pub enum ShopError {
    /// Nothing happened, and nothing will.
    #[error("declined")]
    #[outcome(validation_failure)]
    Declined,
    /// Nothing happened yet.
    #[error("busy")]
    #[outcome(retryable_failure(unavailable))]
    Busy,
}

/// Something that a body takes from the runtime.
#[derive(Debug, Clone, Default)]
pub struct Provider;

/// The work of a body that matters to no case.
///
/// # Errors
/// Never; the signature is what counts.
pub fn receipt(order_id: &str) -> Result<Receipt, ShopError> {
    Ok(Receipt { order_id: order_id.to_owned() })
}
