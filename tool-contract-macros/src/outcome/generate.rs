//! The implementation of `ToolError`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Generics, WherePredicate, parse_quote};
use tool_contract_spec::outcome::{Cause, OutcomeClass};

use super::parse::{Case, Class, Marked, Parsed};
use crate::library;

/// Expands an error type. One that is refused is still an error of a tool, so
/// that no tool has to complain of it too.
pub(super) fn generate(parsed: &Parsed) -> TokenStream {
    let Parsed { name, generics, krate, cases, findings } = parsed;
    let private = library::private(krate.as_ref());
    let errors = findings.errors();
    let body =
        if findings.any_deny() { quote!(::core::unreachable!()) } else { body(cases, &private) };
    let generics = bounded(generics.clone(), cases, &private);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #errors
        #[automatically_derived]
        impl #impl_generics #private::ToolError for #name #type_generics #where_clause {
            #[allow(clippy::match_same_arms)]
            fn outcome(&self) -> #private::Outcome { #body }
        }
    }
}

/// The bounds that the implementation needs where a type is a parameter.
fn bounded(mut generics: Generics, cases: &[Case], private: &TokenStream) -> Generics {
    if generics.type_params().next().is_none() {
        return generics;
    }
    let inner = cases.iter().filter_map(|case| match &case.class {
        Class::Transparent(inner) => Some(&inner.ty),
        Class::Fixed(_) => None,
    });
    let clause = generics.make_where_clause();
    clause.predicates.push(parse_quote! {
        Self: ::core::fmt::Display + ::core::fmt::Debug + ::core::marker::Send + 'static
    });
    clause
        .predicates
        .extend(inner.map(|ty| -> WherePredicate { parse_quote!(#ty: #private::ToolError) }));
    generics
}

fn body(cases: &[Case], private: &TokenStream) -> TokenStream {
    if cases.is_empty() {
        return quote! { match *self {} };
    }
    let arms = cases.iter().map(|case| arm(case, private));
    quote! { match self { #(#arms)* } }
}

fn arm(case: &Case, private: &TokenStream) -> TokenStream {
    let Case { path, form, class, retry_after } = case;
    match (class, retry_after) {
        (Class::Transparent(inner), _) => {
            let Marked { member, ty } = inner.as_ref();
            let outcome =
                quote_spanned! { ty.span()=> <#ty as #private::ToolError>::outcome(inner) };
            quote! { #path { #member: inner } => #outcome, }
        }
        (Class::Fixed(class), None) => {
            let class = self::class(*class, private);
            quote! { #path #form => #private::Outcome::new(#class), }
        }
        (Class::Fixed(class), Some(Marked { member, ty })) => {
            let class = self::class(*class, private);
            let delay =
                quote_spanned! { ty.span()=> <#ty as #private::RetryAfter>::retry_after(after) };
            quote! { #path { #member: after, .. } => #private::Outcome::new(#class).with_retry_after(#delay), }
        }
    }
}

fn class(class: OutcomeClass, private: &TokenStream) -> TokenStream {
    let name = match class {
        OutcomeClass::Success => quote!(Success),
        OutcomeClass::ValidationFailure => quote!(ValidationFailure),
        OutcomeClass::PermissionDenied => quote!(PermissionDenied),
        OutcomeClass::PermanentFailure => quote!(PermanentFailure),
        OutcomeClass::SideEffectUnknown => quote!(SideEffectUnknown),
        OutcomeClass::RetryableFailure(cause) => {
            let cause = match cause {
                Cause::RateLimited => quote!(RateLimited),
                Cause::Unavailable => quote!(Unavailable),
                Cause::LockTimeout => quote!(LockTimeout),
                Cause::Network => quote!(Network),
                Cause::Other => quote!(Other),
            };
            quote!(RetryableFailure(#private::Cause::#cause))
        }
    };
    quote! { #private::OutcomeClass::#name }
}
