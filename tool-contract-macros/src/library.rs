//! Where generated code finds this library.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The path of the facade: what `crate = path` says, or its own name.
pub(crate) fn path(given: Option<&impl ToTokens>) -> TokenStream {
    given.map_or_else(|| quote!(::tool_contract), ToTokens::to_token_stream)
}

/// The path of what generated code may name.
pub(crate) fn private(given: Option<&impl ToTokens>) -> TokenStream {
    let library = path(given);
    quote! { #library::__private }
}
