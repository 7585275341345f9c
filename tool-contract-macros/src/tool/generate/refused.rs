//! What remains of a function that cannot be a tool.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, Type};

use super::Tool;
use super::attributes::Attributes;
use crate::tool::parse::{Function, is_cx, is_owned};

/// Whether it is still clear how the tool would be called.
pub(super) fn has_calls(function: &Function) -> bool {
    let Function { signature, output, .. } = function;
    let is_free = signature.receiver().is_none() && signature.generics.params.is_empty();
    is_free
        && output.as_ref().is_some_and(|output| matches!(output, Type::Path(_)) && is_owned(output))
}

/// The function as it was written, less what only `#[tool]` understands.
pub(super) fn function(function: &Function) -> TokenStream {
    let Function { attributes, visibility, signature, body, .. } = function;
    let end = body.is_none().then(|| quote!({ ::core::unreachable!() }));
    quote! { #(#attributes)* #[allow(dead_code)] #visibility #signature #body #end }
}

impl Tool<'_> {
    /// A function with the user's name and parameters that is never run.
    pub(super) fn refused_call(&self) -> TokenStream {
        let Self { private, name, function, attributes: Attributes { conditions, .. }, .. } = self;
        let Function { visibility, signature, .. } = function;
        let ident = &signature.ident;
        let types = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) if !is_cx(&typed.ty) => Some(&typed.ty),
            _ => None,
        });
        quote! {
            #(#conditions)*
            #[allow(dead_code, missing_docs)]
            #visibility fn #ident(#(_: #types),*) -> #private::Call<#name> { ::core::unreachable!() }
        }
    }
}
