//! What an error type says of its failures.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, Generics, Member, Path, Token, Type, Variant,
};
use tool_contract_spec::outcome::OutcomeClass;
use tool_contract_spec::rulebook::Code;

use super::class::{Word, listed};
use crate::findings::Findings;
use crate::place::Place;

/// An error type, read.
pub(super) struct Parsed {
    pub(super) name: Ident,
    pub(super) generics: Generics,
    /// Where this library is found, if that was said.
    pub(super) krate: Option<Path>,
    /// The variants; a struct is the only one of its own.
    pub(super) cases: Vec<Case>,
    pub(super) findings: Findings,
}

/// A way to fail.
pub(super) struct Case {
    /// `Self::Variant`, or `Self`.
    pub(super) path: TokenStream,
    pub(super) form: Form,
    pub(super) class: Class,
    pub(super) retry_after: Option<Marked>,
}

/// How a variant is written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Unit,
    Tuple,
    Named,
}

/// What a failure means.
pub(super) enum Class {
    Fixed(OutcomeClass),
    /// What the error in its one field says.
    Transparent(Box<Marked>),
}

/// A field that matters.
pub(super) struct Marked {
    pub(super) member: Member,
    pub(super) ty: Type,
}

/// Reads an error type, all of it, whatever is wrong.
pub(super) fn parse(input: DeriveInput) -> Parsed {
    let DeriveInput { attrs, ident: name, generics, data, .. } = input;
    let mut findings = Findings::new(name.unraw().to_string());
    let (krate, attributes) = take_crate(attrs);
    let cases = match data {
        Data::Enum(data) => {
            refuse_on_enum(&attributes, &mut findings);
            data.variants
                .iter()
                .filter_map(|variant| Case::of_variant(&name, variant, &mut findings))
                .collect()
        }
        Data::Struct(data) => {
            let subject = Subject { name: name.to_string(), place: Place::of(&name) };
            Case::read(quote!(Self), &subject, &attributes, &data.fields, &mut findings)
                .into_iter()
                .collect()
        }
        Data::Union(data) => {
            let message = format!("`{name}` is a union, which nobody can ask what it means");
            findings.add(
                Code::UNCLASSIFIED_ERROR,
                Place::of(data.union_token),
                message,
                "write an enum",
            );
            Vec::new()
        }
    };
    Parsed { name, generics, krate, cases, findings }
}

/// What a finding is about: a variant, or a struct.
struct Subject {
    name: String,
    place: Place,
}

impl Case {
    fn of_variant(of: &Ident, variant: &Variant, findings: &mut Findings) -> Option<Self> {
        let Variant { ident, fields, attrs, .. } = variant;
        // Not its attributes: those may be long.
        let place = Place::of(ident);
        let place =
            if matches!(fields, Fields::Unit) { place } else { place.to(Place::of(fields)) };
        let subject = Subject { name: format!("{of}::{ident}"), place };
        Self::read(quote!(Self::#ident), &subject, attrs, fields, findings)
    }

    fn read(
        path: TokenStream,
        subject: &Subject,
        attributes: &[Attribute],
        fields: &Fields,
        findings: &mut Findings,
    ) -> Option<Self> {
        let form = match fields {
            Fields::Unit => Form::Unit,
            Fields::Unnamed(_) => Form::Tuple,
            Fields::Named(_) => Form::Named,
        };
        let retry_after = retry_after(&subject.name, fields, findings);
        let class = class(subject, attributes, fields, findings)?;
        if let (Class::Transparent(_), Some(Marked { member, .. })) = (&class, &retry_after) {
            let message =
                format!("`{}` says what its inner error says, and a delay besides", subject.name);
            let help = "remove `#[retry_after]`: the inner error has its own";
            findings.add(Code::MALFORMED_FIELD, Place::of(member), message, help);
        }
        Some(Self { path, form, class, retry_after })
    }
}

/// Takes `#[outcome(crate = path)]`.
fn take_crate(attributes: Vec<Attribute>) -> (Option<Path>, Vec<Attribute>) {
    let mut krate = None;
    let rest = attributes.into_iter().filter(|attribute| {
        let path = attribute
            .path()
            .is_ident("outcome")
            .then(|| attribute.parse_args_with(crate_path).ok())
            .flatten();
        let is_crate = path.is_some();
        krate = path.or(krate.take());
        !is_crate
    });
    let rest = rest.collect();
    (krate, rest)
}

fn crate_path(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    input.parse()
}

fn refuse_on_enum(attributes: &[Attribute], findings: &mut Findings) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("outcome")) {
        let message = format!(
            "`{}` is classified as a whole, but its variants may mean different things",
            findings.subject
        );
        findings.add(
            Code::UNCLASSIFIED_ERROR,
            Place::of(attribute),
            message,
            "put `#[outcome(..)]` on each variant",
        );
    }
}

fn class(
    Subject { name: subject, place }: &Subject,
    attributes: &[Attribute],
    fields: &Fields,
    findings: &mut Findings,
) -> Option<Class> {
    let mut outcomes = attributes.iter().filter(|attribute| attribute.path().is_ident("outcome"));
    let Some(outcome) = outcomes.next() else {
        let message =
            format!("`{subject}` has no outcome class, and an unclassified error decides nothing");
        let help = format!("write `#[outcome(..)]` above it, with one of: {}", listed());
        findings.add(Code::UNCLASSIFIED_ERROR, *place, message, help);
        return None;
    };
    for second in outcomes {
        let message = format!("`{subject}` has two outcome classes");
        findings.add(Code::MALFORMED_FIELD, Place::of(second), message, "keep one of the two");
    }
    let word = Word::read(outcome);
    if word.text != "transparent" {
        return word.class(subject, findings).map(Class::Fixed);
    }
    if let [inner] = fields.iter().collect::<Vec<_>>().as_slice() {
        return Some(Class::Transparent(Box::new(Marked::new(0, inner))));
    }
    let message =
        format!("`{subject}` is transparent, and has not exactly one field to look through to");
    let help = "give it the inner error as its only field, or a class of its own";
    findings.add(Code::UNCLASSIFIED_ERROR, word.place, message, help);
    None
}

fn retry_after(subject: &str, fields: &Fields, findings: &mut Findings) -> Option<Marked> {
    let mut marked = fields.iter().enumerate().filter(|(_, field)| mark(field).is_some());
    let (index, first) = marked.next()?;
    for (_, second) in marked {
        let message = format!("`{subject}` has two fields marked `#[retry_after]`");
        findings.add(
            Code::MALFORMED_FIELD,
            Place::of(mark(second)),
            message,
            "keep one of the two",
        );
    }
    Some(Marked::new(index, first))
}

fn mark(field: &Field) -> Option<&Attribute> {
    field.attrs.iter().find(|attribute| attribute.path().is_ident("retry_after"))
}

impl Marked {
    fn new(index: usize, field: &Field) -> Self {
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(syn::Index::from(index)),
        };
        Self { member, ty: field.ty.clone() }
    }
}

impl ToTokens for Form {
    /// The pattern that ignores every field.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Unit => TokenStream::new(),
            Self::Tuple => quote!((..)),
            Self::Named => quote!({ .. }),
        });
    }
}
