#![no_implicit_prelude]
#![deny(warnings)]

use ::tool_contract::{Asked, Done, ToolError, tool};
use ::tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo", reconcile = "find")]
pub fn charge(order_id: ::std::string::String) -> ::core::result::Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn undo(_: Done<Charge>) -> ::core::result::Result<(), ShopError> {
    ::core::result::Result::Ok(())
}

async fn find(
    _: Asked<Charge>,
) -> ::core::result::Result<::core::option::Option<Receipt>, ShopError> {
    ::core::result::Result::Ok(::core::option::Option::None)
}

#[derive(ToolError)]
pub enum Failed {
    #[outcome(retryable)]
    Busy(#[retry_after] ::core::option::Option<::std::time::Duration>),
}

impl ::std::fmt::Debug for Failed {
    fn fmt(&self, _: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        ::core::result::Result::Ok(())
    }
}

impl ::std::fmt::Display for Failed {
    fn fmt(&self, _: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        ::core::result::Result::Ok(())
    }
}

fn main() {}
