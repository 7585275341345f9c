//! The attribute's tokens as a list of keys with values, whatever they mean.
//!
//! A mistake in one entry costs that entry alone: what follows the next comma
//! is read as if nothing had happened.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{ExprPath, Lit, Token, token};
use tool_contract_spec::rulebook::Code;

use crate::findings::Findings;
use crate::place::Place;

/// What a key may look like.
const FORMS: &str = "write `key`, `key = value` or `key(..)`";

/// A key, and what is written for it.
pub(super) struct Entry {
    /// The key's name.
    pub(super) name: Ident,
    /// What is written for it.
    pub(super) value: Value,
}

/// What is written for a key.
pub(super) enum Value {
    /// Nothing, not even `=`.
    Bare,
    /// `=` and nothing.
    Missing(Place),
    /// `= "text"`, `= 3`, `= false`.
    Literal(Lit),
    /// `= path::to::something`.
    Path(ExprPath),
    /// `= [a, b]`
    List(token::Bracket, Vec<Value>),
    /// `(..)`
    Group(Place, TokenStream),
    /// Something else.
    Other(Place),
}

impl Value {
    /// Where it stands; a bare key has no value to point at.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::Literal(literal) => Some(Place::of(literal)),
            Self::Path(path) => Some(Place::of(path)),
            Self::List(brackets, _) => {
                Some(Place::from(brackets.span.open()).to(brackets.span.close().into()))
            }
            Self::Missing(place) | Self::Group(place, _) | Self::Other(place) => Some(*place),
            Self::Bare => None,
        }
    }
}

/// Reads `key`, `key = value` and `key(..)`, parted by commas.
pub(super) fn entries(tokens: TokenStream, findings: &mut Findings) -> Vec<Entry> {
    let read = |input: ParseStream<'_>| Ok(read_entries(input, findings));
    read.parse2(tokens).unwrap_or_default()
}

/// Reads types parted by commas.
pub(super) fn list<T: Parse>(tokens: TokenStream) -> syn::Result<Vec<T>> {
    Punctuated::<T, Token![,]>::parse_terminated
        .parse2(tokens)
        .map(|list| list.into_iter().collect())
}

fn read_entries(input: ParseStream<'_>, findings: &mut Findings) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        if let Some(entry) = read_entry(input, findings) {
            entries.push(entry);
        }
        expect_comma(input, findings);
    }
    entries
}

fn read_entry(input: ParseStream<'_>, findings: &mut Findings) -> Option<Entry> {
    let Ok(name) = input.call(Ident::parse_any) else {
        let place = skip_entry(input).unwrap_or_else(|| input.span().into());
        refuse(place, "declared with something that is no key", FORMS, findings);
        return None;
    };
    let value = if input.peek(token::Paren) { read_group(input) } else { read_value(&name, input) };
    Some(Entry { name, value })
}

fn read_group(input: ParseStream<'_>) -> Value {
    match input.parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) => Value::Group(Place::of(&group), group.stream()),
        Ok(other) => Value::Other(Place::of(other)),
        Err(error) => Value::Other(error.span().into()),
    }
}

fn read_value(name: &Ident, input: ParseStream<'_>) -> Value {
    match input.parse::<Token![=]>() {
        Ok(equals) if at_end(input) => Value::Missing(Place::of(name).to(Place::of(equals))),
        Ok(_) => read_plain(input),
        Err(_) if input.peek(Ident::peek_any) => Value::Bare,
        Err(_) => skip_entry(input).map_or(Value::Bare, Value::Other),
    }
}

/// A value that is no group, up to the end of the entry.
fn read_plain(input: ParseStream<'_>) -> Value {
    let ahead = input.fork();
    let read = read_known(&ahead);
    match read {
        // A key may follow where a comma was forgotten; anything else belongs
        // to a value that we do not know.
        Some(value) if at_end(&ahead) || ahead.peek(Ident::peek_any) => {
            let _ = read_known(input);
            value
        }
        _ => skip_entry(input).map_or(Value::Bare, Value::Other),
    }
}

fn read_known(input: ParseStream<'_>) -> Option<Value> {
    if input.peek(Lit) {
        return input.parse().ok().map(Value::Literal);
    }
    if input.peek(token::Bracket) {
        return read_list(input);
    }
    input.parse().ok().map(Value::Path)
}

fn read_list(input: ParseStream<'_>) -> Option<Value> {
    let Ok(TokenTree::Group(group)) = input.parse::<TokenTree>() else {
        return None;
    };
    debug_assert_eq!(group.delimiter(), Delimiter::Bracket, "the caller peeked");
    let brackets = token::Bracket { span: group.delim_span() };
    let elements = |input: ParseStream<'_>| {
        let mut elements = Vec::new();
        while !input.is_empty() {
            elements.push(read_plain(input));
            let _ = input.parse::<Token![,]>();
        }
        Ok(elements)
    };
    elements.parse2(group.stream()).ok().map(|elements| Value::List(brackets, elements))
}

fn expect_comma(input: ParseStream<'_>, findings: &mut Findings) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    if input.peek(Ident::peek_any) {
        refuse(
            input.span(),
            "declared without a comma before this key",
            "part the keys with commas",
            findings,
        );
        return;
    }
    if let Some(place) = skip_entry(input) {
        refuse(place, "declared with something that belongs to no key", FORMS, findings);
    }
    let _ = input.parse::<Token![,]>();
}

/// Skips to the next comma; `None` if it is the next token.
fn skip_entry(input: ParseStream<'_>) -> Option<Place> {
    let mut skipped = TokenStream::new();
    while !at_end(input) {
        skipped.extend(input.parse::<TokenTree>().ok());
    }
    (!skipped.is_empty()).then(|| Place::of(skipped))
}

fn refuse(at: impl Into<Place>, what: impl std::fmt::Display, help: &str, findings: &mut Findings) {
    let message = format!("`{}` is {what}", findings.subject);
    findings.add(Code::MALFORMED_FIELD, at, message, help);
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}
