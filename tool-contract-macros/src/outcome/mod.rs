//! `#[derive(ToolError)]`: parse, generate.
//!
//! There is no validation between the two: what an outcome class may be, the
//! parser knows from the specification.

mod class;
mod generate;
mod parse;

use proc_macro2::TokenStream;

/// Expands `#[derive(ToolError)] item`.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    match syn::parse2(item) {
        Ok(input) => generate::generate(&parse::parse(input)),
        Err(error) => error.into_compile_error(),
    }
}
