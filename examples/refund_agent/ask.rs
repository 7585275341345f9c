//! What the agent asks for, and what it hears.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_contract::Status;
use tool_contract::spec::rulebook::Code;

use crate::money::Money;

/// A tool call, as a model makes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    OrderStatus { order_id: String },
    ChargeCard { order_id: String, cents: Money, memo: String, key: String },
    SendReceipt { order_id: String, to: String },
    CloseAccount { customer_id: String },
}

impl Ask {
    pub(crate) const fn tool(&self) -> &'static str {
        match self {
            Self::OrderStatus { .. } => "order_status",
            Self::ChargeCard { .. } => "charge_card",
            Self::SendReceipt { .. } => "send_receipt",
            Self::CloseAccount { .. } => "close_account",
        }
    }

    pub(crate) fn arguments(&self) -> Value {
        match self {
            Self::OrderStatus { order_id } => json!({ "order_id": order_id }),
            Self::ChargeCard { order_id, cents, memo, .. } => {
                json!({ "order_id": order_id, "cents": cents, "memo": memo })
            }
            Self::SendReceipt { order_id, to } => json!({ "order_id": order_id, "to": to }),
            Self::CloseAccount { customer_id } => json!({ "customer_id": customer_id }),
        }
    }

    /// The key that comes with it, where the tool does not derive its own.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::ChargeCard { key, .. } => Some(key),
            _ => None,
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderStatus { order_id } => write!(f, "order_status for {order_id}"),
            Self::ChargeCard { order_id, cents, memo, key } => {
                write!(f, "charge_card {cents} for {order_id}, \"{memo}\", key {key}")
            }
            Self::SendReceipt { order_id, to } => write!(f, "send_receipt for {order_id} to {to}"),
            Self::CloseAccount { customer_id } => write!(f, "close_account of {customer_id}"),
        }
    }
}

/// The answer to a tool call, as the model gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) status: Status,
    /// Whether nothing ran, because the result was on record.
    pub(crate) replayed: bool,
    /// The key under which the same operation was on record.
    pub(crate) reminted_from: Option<String>,
    pub(crate) text: String,
    /// How often the call was attempted.
    pub(crate) attempts: u32,
    /// The rule that refused it.
    pub(crate) code: Option<Code>,
    /// When to come again, where that was said.
    pub(crate) retry_after: Option<Duration>,
}
