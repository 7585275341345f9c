//! `contract!()`: makes the contract file binding.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::{Path, Token};
use tool_contract_spec::document::{Document, Unreadable};
use tool_contract_spec::rulebook::Level;

use crate::contract_file::{self, ContractFile, Package};
use crate::place::Place;
use crate::{findings, library};

/// What to do about a file that is not there.
const HOW_TO_WRITE: &str =
    "write it from the code: `cargo tool-contract emit`, or `TOOL_CONTRACT=overwrite cargo test`";

/// Expands `contract!(input)`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let krate = match options.parse2(input) {
        Ok(path) => library::path(path.as_ref()),
        Err(error) => return error.into_compile_error(),
    };
    let Some(package) = Package::current() else {
        return error("`contract!` finds no `Cargo.toml`: it works where cargo compiles");
    };
    let mode = contract_file::tracking_mode();
    let errors = if contract_file::is_binding() { judge(&package) } else { TokenStream::new() };
    let test = test(&krate, package.contract_path());
    quote! { #mode #errors #test }
}

/// Nothing, or `crate = path`.
fn options(input: ParseStream<'_>) -> syn::Result<Option<Path>> {
    if input.is_empty() {
        return Ok(None);
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Some(path))
}

/// What only a program that links every tool can know, a test finds out.
fn test(krate: &TokenStream, path: &str) -> TokenStream {
    quote! {
        #[cfg(test)]
        #[test]
        fn tool_contract_is_current() {
            #krate::__private::contract_is_current(
                ::core::env!("CARGO_MANIFEST_DIR"),
                #path,
                ::core::env!("CARGO_PKG_NAME"),
            );
        }
    }
}

fn judge(package: &Package) -> TokenStream {
    let path = package.contract_path();
    match package.contract() {
        // The creation of a file cannot be tracked, but a crate that does not
        // compile is tried again anyway.
        ContractFile::Missing => {
            error(&format!("there is no contract file `{path}`\nhelp: {HOW_TO_WRITE}"))
        }
        ContractFile::Unreadable(unreadable) => {
            let error = error(&said(path, &unreadable));
            let tracking = package.tracking();
            quote! { #tracking #error }
        }
        ContractFile::Read(document) => {
            let errors = broken_rules(path, &document);
            let tracking = package.tracking();
            quote! { #tracking #errors }
        }
    }
}

fn said(path: &str, unreadable: &Unreadable) -> String {
    let Unreadable { at, message, help } = unreadable;
    let at = at.map(|at| format!("{at}: ")).unwrap_or_default();
    let help = if help.is_empty() { HOW_TO_WRITE } else { help };
    format!("{path}:{at}{message}\nhelp: {help}")
}

fn broken_rules(path: &str, document: &Document) -> TokenStream {
    let denied = document.findings.iter().filter(|finding| finding.level == Level::Deny);
    denied
        .map(|finding| error(&format!("{path}:{}: {}", finding.at, findings::text(finding))))
        .collect()
}

fn error(message: &str) -> TokenStream {
    Place::from(Span::call_site()).error(message)
}
