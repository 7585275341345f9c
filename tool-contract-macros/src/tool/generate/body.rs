//! The user's functions, and how the executor calls them.

use proc_macro2::{Group, Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ExprPath;

use super::Tool;
use crate::place::Place;
use crate::tool::parse::{Argument, Function, Options};

impl Tool<'_> {
    /// `Tool::run`: the user's function as it was written, where nobody else
    /// can call it.
    ///
    /// It keeps its name, so that errors and traces name what the user wrote.
    /// Within its body that name still means the tool: a recursive call goes
    /// through the contract like any other.
    pub(super) fn run(&self, body: &Group) -> TokenStream {
        let Self { private, function, attributes, .. } = self;
        let (lints, inside) = (attributes.inner_lints(self.warns), &attributes.inside);
        let Function { signature, takes_cx, is_saga, .. } = function;
        let running = self.running();
        let cx = if *takes_cx || *is_saga || signature.asyncness.is_none() {
            quote!(cx)
        } else {
            quote!(_)
        };
        let returned = if function.is_saga {
            quote! {
                #private::BoxFuture<'_, ::core::result::Result<Self::Output, Self::Error>>
            }
        } else {
            let running = self.returned("Running");
            quote_spanned!(Place::of(self.output).end()=> #running<'_>)
        };
        let allowed =
            if self.fits { quote!(clippy::needless_pass_by_value) } else { quote!(dead_code) };
        let place = Place::of(self.output);
        // Its braces too: what is said of it as a whole is said there.
        let head = quote_spanned! { place.start()=> #(#lints)* fn run(self, #cx: &#private::Cx) -> #returned };
        let written = quote! {
            struct __Body;
            impl __Body {
                #(#inside)*
                #[allow(#allowed)]
                #signature #body
            }
        };
        quote_spanned! { place.end()=> #head { #written #running } }
    }

    fn running(&self) -> TokenStream {
        let Self { private, function, .. } = self;
        let name = &function.signature.ident;
        if !self.fits {
            return quote! { ::core::unreachable!() };
        }
        let cx = function.takes_cx.then(|| quote!(cx,));
        let arguments =
            || function.arguments.iter().map(|Argument { name, .. }| quote!(self.#name));
        let given = arguments();
        let call = quote! { __Body::#name(#cx #(#given),*) };
        if function.is_saga {
            let arguments = arguments();
            let call = quote! { __Body::#name(saga, #(#arguments),*) };
            return quote_spanned! { name.span()=> #private::saga::<Self, _, _, _>(cx, move |saga| #call) };
        }
        if function.signature.asyncness.is_some() {
            // A future that is not `Send` is reported here.
            return quote_spanned! { name.span()=> ::std::boxed::Box::pin(#call) };
        }
        let cx = if function.takes_cx { quote!(cx) } else { quote!(_) };
        quote_spanned! { name.span()=> #private::blocking(cx, move |#cx| #call) }
    }

    /// `Tool::reconcile` and `Tool::roll_back`, where they are declared.
    pub(super) fn functions(&self, options: &Options) -> TokenStream {
        let private = &self.private;
        let reconcile = options.reconcile.as_ref().map(|path| {
            let asking = given(private, "reconcile", path);
            quote! {
                fn reconcile(given: #private::Asked<Self>) -> ::core::option::Option<
                    #private::BoxFuture<'static, ::core::result::Result<
                        ::core::option::Option<Self::Output>, ::std::string::String>>>
                {
                    ::core::option::Option::Some(#asking)
                }
            }
        });
        let roll_back = options.rollback.as_ref().map(|path| {
            let compensating = given(private, "roll_back", path);
            quote! {
                fn roll_back(given: #private::Done<Self>) -> ::core::option::Option<
                    #private::BoxFuture<'static, ::core::result::Result<(), ::std::string::String>>>
                {
                    ::core::option::Option::Some(#compensating)
                }
            }
        });
        quote! { #reconcile #roll_back }
    }
}

/// The function of the runtime that states what `path` must be, spanned so
/// that every way in which it is not is reported under the path.
fn given(private: &TokenStream, function: &str, path: &ExprPath) -> TokenStream {
    let place = Place::of(path);
    let function = Ident::new(function, place.end());
    let callee = place.cover(quote!(#private::#function::<Self, _, _>));
    quote_spanned! { place.end()=> #callee(#path, given) }
}
