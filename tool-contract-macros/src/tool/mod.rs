//! `#[tool]`: parse, validate, generate.

mod generate;
mod parse;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

/// Expands `#[tool(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    match parse::parse(attribute, item.clone()) {
        Ok(parsed) => generate::generate(&validate::validate(parsed)),
        Err(findings) => {
            let errors = findings.errors();
            quote! { #errors #item }
        }
    }
}
