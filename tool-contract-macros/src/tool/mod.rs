//! `#[tool]`: parse, validate, generate.

mod generate;
mod parse;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::contract_file::Package;

/// Expands `#[tool(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    match parse::parse(attribute, item.clone()) {
        Ok(parsed) => generate::generate(&validate::validate(parsed, Package::current().as_ref())),
        Err(findings) => {
            let errors = findings.errors();
            quote! { #errors #item }
        }
    }
}
