//! What in a type cannot be stored: references, lifetimes, types without a
//! name.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::Type;

use crate::place::Place;

/// Whether a type owns its data and has a name.
pub(crate) fn is_owned(ty: &Type) -> bool {
    find(ty).is_none()
}

/// The first thing in `ty` that is not owned or has no name, with a name for
/// it.
pub(super) fn find(ty: &Type) -> Option<(Place, &'static str)> {
    match ty {
        Type::Reference(_) => Some((Place::of(ty), "a reference")),
        Type::ImplTrait(_) => Some((Place::of(ty), "`impl Trait`")),
        Type::Infer(_) => Some((Place::of(ty), "`_`")),
        ty => find_within(ty.to_token_stream()),
    }
}

/// The types inside of another are only looked at as tokens: that costs less
/// to compile than a visitor, for all macros that use this crate.
fn find_within(tokens: TokenStream) -> Option<(Place, &'static str)> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let place = Place::of(&token);
        match token {
            TokenTree::Group(group) => {
                if let Some(found) = find_within(group.stream()) {
                    return Some(found);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                let end = tokens.peek().map_or(place, Place::of);
                return Some((place.to(end), "a reference"));
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                let name = tokens.next();
                let end = name.as_ref().map_or(place, Place::of);
                if name.is_none_or(|name| name.to_string() != "static") {
                    return Some((place.to(end), "a lifetime"));
                }
            }
            TokenTree::Ident(ident) if ident == "impl" => return Some((place, "`impl Trait`")),
            TokenTree::Ident(ident) if ident == "_" => return Some((place, "`_`")),
            _ => {}
        }
    }
    None
}

/// Whether a float stands anywhere in a type.
pub(super) fn has_float(ty: &Type) -> bool {
    fn within(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => within(group.stream()),
            TokenTree::Ident(ident) => ident == "f32" || ident == "f64",
            _ => false,
        })
    }
    within(ty.to_token_stream())
}

/// Whether a type is text, or perhaps text: `String`, `Option<String>`,
/// `Cow<'static, str>`.
pub(super) fn is_text(ty: &Type) -> bool {
    let ty = match ty {
        Type::Group(group) => return is_text(&group.elem),
        Type::Path(path) => path,
        _ => return false,
    };
    let Some(last) = ty.path.segments.last() else {
        return false;
    };
    if last.ident == "String" || last.ident == "str" {
        return true;
    }
    let is_wrapper =
        ["Option", "Box", "Arc", "Rc", "Cow"].iter().any(|wrapper| last.ident == wrapper);
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return false;
    };
    is_wrapper
        && arguments
            .args
            .iter()
            .any(|argument| matches!(argument, syn::GenericArgument::Type(ty) if is_text(ty)))
}

/// A type as people write it.
pub(super) fn text(ty: &Type) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                write(group.stream(), text);
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => text.push_str(", "),
            token => text.push_str(&token.to_string().replace(" :: ", "::")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn what_is_borrowed_or_has_no_name_is_found() {
        for (text, what) in [
            ("&str", "a reference"),
            ("Vec<&'static str>", "a reference"),
            ("[(u8, &u8); 2]", "a reference"),
            ("Cow<'_, str>", "a lifetime"),
            ("Option<impl Clone>", "`impl Trait`"),
            ("Vec<_>", "`_`"),
        ] {
            assert_eq!(find(&ty(text)).map(|(_, what)| what), Some(what), "{text}");
        }
        for text in [
            "String",
            "Cow<'static, str>",
            "BTreeMap<String, Vec<[u8; 4]>>",
            "<A as B>::C",
            "(u8, u8)",
        ] {
            assert!(is_owned(&ty(text)), "{text}");
        }
    }

    #[test]
    fn text_and_floats_are_known_by_their_names() {
        for text in [
            "String",
            "std::string::String",
            "Option<String>",
            "Option<Box<str>>",
            "Cow<'static, str>",
        ] {
            assert!(is_text(&ty(text)), "{text}");
        }
        for text in ["u64", "Vec<String>", "Stringy", "Option<u8>", "(String, String)"] {
            assert!(!is_text(&ty(text)), "{text}");
        }
        assert!(has_float(&ty("BTreeMap<String, [f64; 2]>")) && !has_float(&ty("F64")));
    }

    #[test]
    fn a_type_is_shown_as_people_write_it() {
        assert_eq!(
            text(&ty("std :: vec :: Vec < ( u8 , String ) >")),
            "std::vec::Vec<(u8 , String)>"
        );
    }
}
