//! What a tool's declaration expands to.
//!
//! Generated code names nothing but `__private` of the facade, and puts each
//! bound on what the user wrote in exactly one place, spanned at it: one
//! mistake is one error.

mod arguments;
mod attributes;
mod body;
mod call;
mod contract;
mod refused;
mod warning;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;
use tool_contract_spec::policy::{Contract, KeySource, Policy};
use tool_contract_spec::rulebook::Level;

use self::attributes::Attributes;
use super::parse::Function;
use super::validate::Validated;
use crate::library;
use crate::place::Place;

/// What every part of the expansion needs to know.
struct Tool<'v> {
    /// The path of `__private`.
    private: TokenStream,
    /// The generated type.
    name: &'v Ident,
    function: &'v Function,
    /// The type that the function returns.
    output: &'v Type,
    /// Whether the function's shape is a tool's; else its body is never run,
    /// and only its calls are kept from being errors too.
    fits: bool,
    /// Whether the compiler warns of something that we found.
    warns: bool,
    attributes: Attributes,
}

/// Expands a tool.
pub(crate) fn generate(validated: &Validated) -> TokenStream {
    let Validated { findings, tracking, .. } = validated;
    let errors = findings.errors();
    let function = &validated.function;
    let tool = match (&function.output, &function.body) {
        (Some(output), Some(body))
            if validated.is_library_known && (validated.fits || refused::has_calls(function)) =>
        {
            Tool::new(validated, output).expand(validated, body)
        }
        _ => refused::function(function),
    };
    quote! { #errors #tracking #tool }
}

impl<'v> Tool<'v> {
    fn new(validated: &'v Validated, output: &'v Type) -> Self {
        let private = library::private(validated.options.krate.as_ref());
        let function = &validated.function;
        let attributes = Attributes::sort(&function.attributes);
        let warns = validated.findings.at(Level::Warn).next().is_some();
        Self {
            private,
            name: &validated.type_name,
            function,
            output,
            fits: validated.fits,
            warns,
            attributes,
        }
    }

    fn expand(&self, validated: &Validated, body: &proc_macro2::Group) -> TokenStream {
        let arguments = self.arguments();
        let implementation = self.implementation(validated, body);
        let call = if self.fits { self.call() } else { self.refused_call() };
        let warnings = self.warnings(&validated.findings);
        let Self { private, name, attributes: Attributes { conditions, .. }, .. } = self;
        quote! {
            #arguments
            #implementation
            #(#conditions)* #private::submit!(#name);
            #call
            #warnings
        }
    }

    fn implementation(&self, validated: &Validated, body: &proc_macro2::Group) -> TokenStream {
        let Self { private, name, attributes: Attributes { conditions, .. }, .. } = self;
        let output = self.output_types();
        let (key, approval) = states(validated.contract.as_ref());
        let constants = self.constants(&validated.options.state);
        let contract = self.contract(validated.contract.as_ref());
        let build = self.build();
        let run = self.run(body);
        let functions = self.functions(&validated.options);
        let bounds = self.bounds(validated.contract.as_ref());
        quote! {
            #bounds
            #(#conditions)*
            #[automatically_derived]
            impl #private::Tool for #name {
                #output
                type Key = #private::key::#key;
                type Approval = #private::approval_state::#approval;
                #constants
                #contract
                #build
                #run
                #functions
            }
        }
    }

    /// The output and error types, found behind whatever alias of `Result` the
    /// function returns.
    fn output_types(&self) -> TokenStream {
        let (mut output, mut error) = (self.returned("Output"), self.returned("Error"));
        if self.function.is_saga {
            let private = &self.private;
            output = quote!(#private::SagaOutcome<#output>);
            error = quote!(#private::Rests);
        }
        let place = Place::of(self.output);
        let start = |name| quote_spanned!(place.start()=> type #name =);
        let (first, second) = (start(quote!(Output)), start(quote!(Error)));
        quote_spanned!(place.end()=> #first #output; #second #error;)
    }

    /// A type that follows from what the function returns.
    ///
    /// Wherever one stands, it and the item around it are spanned from the
    /// first to the last token of what was written: the compiler takes several
    /// complaints about one place for one.
    fn returned(&self, name: &str) -> TokenStream {
        let Self { private, output, .. } = self;
        let place = Place::of(output);
        let name = Ident::new(name, place.end());
        let open = quote_spanned!(place.start()=> <#output as #private::Returned>);
        quote_spanned!(place.end()=> #open::#name)
    }

    /// Where in a saga its calls may stand. Those of a refused declaration may stand
    /// anywhere, so that they are no errors too.
    fn bounds(&self, contract: Option<&Contract>) -> TokenStream {
        let Self { private, name, attributes: Attributes { conditions, .. }, .. } = self;
        let policy = contract.map(|contract| &contract.policy);
        let bound = |is_met: bool, name_of: &str| {
            let bound = Ident::new(name_of, proc_macro2::Span::call_site());
            is_met.then(|| {
                quote! { #(#conditions)* #[automatically_derived] impl #private::#bound for #name {} }
            })
        };
        let compensable = bound(policy.is_none_or(Policy::is_compensable), "Compensable");
        let completable = bound(policy.is_none_or(Policy::is_completable), "Completable");
        quote! { #compensable #completable }
    }

    fn constants(&self, state: &[Type]) -> TokenStream {
        let private = &self.private;
        let arguments = self.argument_list();
        let order = arguments::order(&self.function.arguments);
        let is_blocking = self.function.signature.asyncness.is_none();
        let is_saga = self.function.is_saga.then(|| {
            quote!(
                const IS_SAGA: bool = true;
            )
        });
        let state =
            state.iter().map(|ty| quote_spanned! { ty.span()=> #private::StateType::of::<#ty>() });
        quote! {
            const ARGUMENTS: &'static [#private::Argument<Self>] = &[#arguments];
            const ORDER: &'static [usize] = &[#(#order),*];
            const STATE: &'static [#private::StateType] = &[#(#state),*];
            const BLOCKING: bool = #is_blocking;
            #is_saga
            const PACKAGE: &'static str = ::core::env!("CARGO_PKG_NAME");
        }
    }
}

/// Where a call begins with its key and its approval. What a refused
/// declaration would have wanted is not known: its calls may be written in any
/// way, so that they are no errors too.
fn states(contract: Option<&Contract>) -> (TokenStream, TokenStream) {
    let Some(Contract { policy, .. }) = contract else {
        return (quote!(Undecided), quote!(Undecided));
    };
    let key = match policy.key_source() {
        KeySource::Caller => quote!(Missing),
        KeySource::Derived => quote!(Derived),
        KeySource::None | KeySource::Generated => quote!(Keyless),
    };
    let approval = if policy.confirm.is_some() { quote!(Missing) } else { quote!(NotNeeded) };
    (key, approval)
}
