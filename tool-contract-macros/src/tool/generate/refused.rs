//! What remains of a function that cannot be a tool.

use proc_macro2::TokenStream;
use quote::quote;

use crate::tool::parse::Function;

/// The function as it was written, less what only `#[tool]` understands.
pub(super) fn function(function: &Function) -> TokenStream {
    let Function { attributes, visibility, signature, body, .. } = function;
    let end = body.is_none().then(|| quote!({ ::core::unreachable!() }));
    quote! { #(#attributes)* #[allow(dead_code)] #visibility #signature #body #end }
}
