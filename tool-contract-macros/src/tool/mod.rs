//! `#[tool]` and `#[saga]`: parse, validate, generate.

mod generate;
mod parse;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::contract_file::Package;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Saga,
}

impl Kind {
    /// The attribute's name.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Saga => "saga",
        }
    }
}

/// Expands `#[tool(attribute)] item`, or `#[saga(attribute)] item`.
pub(crate) fn expand(kind: Kind, attribute: TokenStream, item: &TokenStream) -> TokenStream {
    match parse::parse(kind, attribute, item.clone()) {
        Ok(parsed) => generate::generate(&validate::validate(parsed, Package::current().as_ref())),
        Err(findings) => {
            let errors = findings.errors();
            quote! { #errors #item }
        }
    }
}
