//! Which of a function's attributes go where.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote};

/// A function's attributes, sorted by what they are about.
pub(super) struct Attributes {
    /// Doc comments.
    pub(super) docs: Vec<Attribute>,
    /// `cfg`: each generated item is under it.
    pub(super) conditions: Vec<Attribute>,
    /// `allow`, `warn` …: the lints of the body and of what is generated.
    pub(super) lints: Vec<Attribute>,
    /// `deprecated`, `must_use`: for those who call.
    pub(super) outside: Vec<Attribute>,
    /// Everything else, other macros among them: for the body.
    pub(super) inside: Vec<Attribute>,
}

/// The attribute's name; of `cfg_attr(condition, name ..)` that which it may
/// become.
fn name(attribute: &Attribute) -> String {
    let conditional = attribute.path().is_ident("cfg_attr").then(|| {
        let metas =
            attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
        metas.into_iter().nth(1)
    });
    let meta = conditional.flatten();
    let path = meta.as_ref().map_or_else(|| attribute.path(), Meta::path);
    path.get_ident().map(ToString::to_string).unwrap_or_default()
}

impl Attributes {
    pub(super) fn sort(attributes: &[Attribute]) -> Self {
        let mut sorted = Self {
            docs: Vec::new(),
            conditions: Vec::new(),
            lints: Vec::new(),
            outside: Vec::new(),
            inside: Vec::new(),
        };
        for attribute in attributes {
            let list = match name(attribute).as_str() {
                "doc" => &mut sorted.docs,
                "cfg" => &mut sorted.conditions,
                "allow" | "expect" | "warn" | "deny" | "forbid" => &mut sorted.lints,
                "deprecated" | "must_use" => &mut sorted.outside,
                _ => &mut sorted.inside,
            };
            list.push(attribute.clone());
        }
        sorted
    }

    /// The lints for the body. Where we warn, an expectation may be about that
    /// warning, and would not be met in the body.
    pub(super) fn inner_lints(&self, warns: bool) -> Vec<Attribute> {
        if warns { self.outer_lints().collect() } else { self.lints.clone() }
    }

    /// The lints for what is generated besides. An expectation is met in the
    /// body; a second one here would be reported as not met.
    pub(super) fn outer_lints(&self) -> impl Iterator<Item = Attribute> {
        self.lints.iter().map(|attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident("expect") => {
                let lints = &list.tokens;
                parse_quote!(#[allow(#lints)])
            }
            _ => attribute.clone(),
        })
    }
}
