//! What the pages' examples in code presuppose.

/// The beginning of a file in which the pages' attribute examples compile.
///
/// It needs `tool_contract`, `thiserror` and `serde`. It is Rust, though no
/// file of its own, so that who tests the pages need not look for it.
pub const PRELUDE: &str = r#"use tool_contract::{Asked, Cx, Done, Saga, StepError, Tool, ToolError, saga, tool};

type Receipt = String;

#[derive(Debug, thiserror::Error, ToolError)]
enum ShopError {
    #[error("the shop refuses: {0}")]
    #[outcome(validation_failure)]
    Refused(String),
}

async fn refund<T: Tool>(_done: Done<T>) -> Result<(), ShopError> {
    Ok(())
}

async fn find_charge<T: Tool>(_asked: Asked<T>) -> Result<Option<T::Output>, ShopError> {
    Ok(None)
}

mod shop {
    use super::{Receipt, ShopError};

    pub async fn balance(_account: &str) -> Result<u64, ShopError> {
        Ok(0)
    }

    pub async fn charge(order_id: &str, cents: u64) -> Result<Receipt, ShopError> {
        Ok(format!("{order_id}: {cents}"))
    }

    pub async fn charge_dollars(order_id: &str, dollars: f64) -> Result<Receipt, ShopError> {
        Ok(format!("{order_id}: {dollars}"))
    }

    pub async fn charge_once(order_id: &str, cents: u64, _key: impl std::fmt::Debug) -> Result<Receipt, ShopError> {
        charge(order_id, cents).await
    }

    pub async fn delete_customer(customer: &str) -> Result<Receipt, ShopError> {
        Ok(customer.to_owned())
    }

    pub async fn refund(_order_id: &str) -> Result<(), ShopError> {
        Ok(())
    }

    pub async fn send_mail(to: &str, _text: &str) -> Result<Receipt, ShopError> {
        Ok(to.to_owned())
    }

    pub fn trace(_text: &str) {}
}
"#;
