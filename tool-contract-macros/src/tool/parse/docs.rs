//! Doc comments.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comments among `attributes`.
///
/// What a macro in `#[doc = ..]` would say, nobody knows at this time.
pub(crate) fn text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(line).collect::<Vec<_>>();
    lines.join("\n").trim().to_owned()
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if meta.path.is_ident("doc") => {
            let text = text.value();
            Some(
                text.lines()
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn comments_become_their_text() {
        let item: syn::ItemFn = parse_quote! {
            /// Charges the card.
            ///
            ///   Indented.
            #[doc = include_str!("more.md")]
            #[doc(hidden)]
            #[inline]
            fn f() {}
        };
        assert_eq!(text(&item.attrs), "Charges the card.\n\n  Indented.");
    }
}
