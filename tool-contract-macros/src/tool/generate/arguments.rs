//! The type that holds a tool's arguments.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use tool_contract_spec::policy::ArgumentRole;

use super::Tool;
use super::attributes::Attributes;
use crate::tool::parse::{Argument, docs};

impl Tool<'_> {
    /// The type, with the two traits that everything generated gets.
    ///
    /// They are not derived: a derive would state the bounds on each
    /// argument's type again, and report them again.
    pub(super) fn arguments(&self) -> TokenStream {
        let Self { private, name, function, attributes: Attributes { conditions, .. }, .. } = self;
        let visibility = &function.visibility;
        let docs = format!("The tool `{}`: its arguments, and its type.", function.signature.ident);
        let fields = function.arguments.iter().map(|argument| self.field(argument));
        let clones = function.arguments.iter().enumerate().map(|(index, Argument { name, .. })| {
            let index = Literal::usize_unsuffixed(index);
            quote! { #name: #private::cloned(self, #index) }
        });
        quote! {
            #(#conditions)*
            #[doc = #docs]
            #[allow(clippy::struct_excessive_bools, clippy::struct_field_names)]
            #visibility struct #name { #(#fields),* }

            #(#conditions)*
            #[automatically_derived]
            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self { Self { #(#clones),* } }
            }

            #(#conditions)*
            #[automatically_derived]
            impl ::core::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #private::debug(self, f)
                }
            }
        }
    }

    fn field(&self, argument: &Argument) -> TokenStream {
        let Argument { name, ty, docs, .. } = argument;
        let visibility = &self.function.visibility;
        let fallback = format!("The argument `{}`.", name.unraw());
        let docs = if docs.is_empty() { quote!(#[doc = #fallback]) } else { quote!(#(#docs)*) };
        quote! { #docs #visibility #name: #ty }
    }

    /// The elements of `Tool::ARGUMENTS`, in the order of the source.
    pub(super) fn argument_list(&self) -> TokenStream {
        let private = &self.private;
        let arguments = self.function.arguments.iter().map(|Argument { name, ty, role, docs }| {
            let docs = docs::text(docs);
            let text = name.unraw().to_string();
            let role = format_ident!("{}", role_name(*role));
            // The bounds of an argument's type are stated here, and nowhere else.
            let erased = quote_spanned! { ty.span()=> #private::erased::<#ty>() };
            quote! { #private::Argument::new(#text, #private::policy::ArgumentRole::#role, #docs, |tool| &tool.#name, #erased) }
        });
        quote! { #(#arguments),* }
    }

    /// `Tool::build`.
    pub(super) fn build(&self) -> TokenStream {
        let private = &self.private;
        let fields =
            self.function.arguments.iter().enumerate().map(|(index, Argument { name, .. })| {
                let index = Literal::usize_unsuffixed(index);
                quote! { #name: values.take(#index) }
            });
        let values = if self.function.arguments.is_empty() { quote!(_) } else { quote!(values) };
        quote! {
            fn build(#values: &mut #private::Values) -> Self { Self { #(#fields),* } }
        }
    }
}

/// The indices of the arguments that take part in the hash, in the order of
/// RFC 8785: by the UTF-16 code units of their names.
pub(super) fn order(arguments: &[Argument]) -> Vec<Literal> {
    let hashed =
        arguments.iter().enumerate().filter(|(_, argument)| argument.role != ArgumentRole::Ignored);
    let units = |name: &str| name.encode_utf16().collect::<Vec<_>>();
    let mut hashed = hashed
        .map(|(index, argument)| (units(&argument.name.unraw().to_string()), index))
        .collect::<Vec<_>>();
    hashed.sort();
    hashed.into_iter().map(|(_, index)| Literal::usize_unsuffixed(index)).collect()
}

/// The name of the variant.
pub(super) fn role_name(role: ArgumentRole) -> &'static str {
    match role {
        ArgumentRole::Hashed => "Hashed",
        ArgumentRole::Ignored => "Ignored",
        ArgumentRole::Secret => "Secret",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_hashed_in_the_order_of_rfc_8785() {
        // In UTF-16, what needs two units comes before U+FF71.
        let names = ["b", "ｱ", "𐐀", "B", "ab", "a"];
        let arguments = names.map(|name| Argument {
            name: syn::parse_str(name).unwrap(),
            ty: syn::parse_quote!(u8),
            role: if name == "B" { ArgumentRole::Ignored } else { ArgumentRole::Secret },
            docs: Vec::new(),
        });
        let order = order(&arguments).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(order, ["5", "4", "0", "2", "1"]);
    }
}
