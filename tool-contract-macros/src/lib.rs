//! The macros of [`tool-contract`](https://docs.rs/tool-contract); use them
//! from there.

mod contract;
mod contract_file;
mod findings;
mod library;
mod outcome;
mod place;
mod tool;

use proc_macro::TokenStream;

/// Makes a function safe to hand to an agent.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attribute.into(), &item.into()).into()
}

/// Says what each failure means for the world.
#[proc_macro_derive(ToolError, attributes(outcome, retry_after))]
pub fn tool_error(item: TokenStream) -> TokenStream {
    outcome::expand(item.into()).into()
}

/// Makes the contract file binding for the crate.
#[proc_macro]
pub fn contract(input: TokenStream) -> TokenStream {
    contract::expand(input.into()).into()
}
