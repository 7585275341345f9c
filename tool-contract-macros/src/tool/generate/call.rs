//! The function that callers see.

use proc_macro2::TokenStream;
use quote::quote;

use super::Tool;
use super::attributes::Attributes;
use crate::tool::parse::Argument;

impl Tool<'_> {
    /// A function with the user's name and arguments that builds a call.
    ///
    /// It is never dead: the registry reaches the tool without it.
    pub(super) fn call(&self) -> TokenStream {
        let Self { private, name, function, attributes, .. } = self;
        let Attributes { docs, conditions, outside, .. } = attributes;
        let lints = attributes.outer_lints();
        let visibility = &function.visibility;
        let ident = &function.signature.ident;
        let parameters =
            function.arguments.iter().map(|Argument { name, ty, .. }| quote!(#name: #ty));
        let fields = function.arguments.iter().map(|Argument { name, .. }| name);
        quote! {
            #(#docs)*
            #(#conditions)*
            #(#lints)*
            #(#outside)*
            #[allow(dead_code, clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
            #visibility fn #ident(#(#parameters),*) -> #private::Call<#name> {
                #private::Call::new(#name { #(#fields),* })
            }
        }
    }
}
