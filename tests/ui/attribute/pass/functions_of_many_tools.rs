//! What undoes and what finds out may be written for more than one tool.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use tool_contract::{Asked, Done, Tool, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo_any", reconcile = "find_any")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "undo_any::<Refund>", reconcile = "found")]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "undo_whatever", reconcile = "boxed")]
async fn book(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn undo_any<T: Tool>(_done: Done<T>) -> Result<(), ShopError> {
    Ok(())
}

async fn undo_whatever(done: impl Send) -> Result<(), Box<dyn Error + Send + Sync>> {
    drop(done);
    Ok(())
}

async fn find_any<T: Tool>(_asked: Asked<T>) -> Result<Option<T::Output>, ShopError> {
    Ok(None)
}

fn found(_: Asked<Refund>) -> impl Future<Output = Result<Option<Receipt>, &'static str>> {
    std::future::ready(Ok(None))
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

fn boxed<T: Tool>(_: Asked<T>) -> Boxed<Option<T::Output>> {
    Box::pin(async { Ok(None) })
}

fn main() {}
