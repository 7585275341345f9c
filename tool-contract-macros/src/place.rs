//! Where in the source something stands.

use std::path::PathBuf;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// A stretch of source, from the start of one token to the end of another.
///
/// A [`Span`] alone cannot cover several tokens on a stable compiler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    start: Span,
    end: Span,
}

impl Place {
    /// Everything that `tokens` cover; the attribute itself if they are none.
    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut tokens = tokens.into_token_stream().into_iter();
        let first = tokens.next();
        let last = tokens.last();
        let start = first.as_ref().map_or_else(Span::call_site, opening);
        Self { start, end: last.or(first).as_ref().map_or(start, closing) }
    }

    /// From the start of this place to the end of `other`.
    pub(crate) const fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// The span of the first token.
    pub(crate) const fn start(self) -> Span {
        self.start
    }

    /// The span of the last token. What is generated from the first to the
    /// last is complained of as a whole.
    pub(crate) const fn end(self) -> Span {
        self.end
    }

    /// Generated tokens as if they were written here, so that what is wrong
    /// with them as a whole is reported of this place.
    pub(crate) fn cover(self, tokens: TokenStream) -> TokenStream {
        let last = tokens.clone().into_iter().count().saturating_sub(1);
        let covered = tokens.into_iter().enumerate().map(|(index, mut token)| {
            token.set_span(if index == last { self.end } else { self.start });
            token
        });
        covered.collect()
    }

    /// A compile error that underlines this place.
    pub(crate) fn error(self, message: &str) -> TokenStream {
        syn::Error::new_spanned(self.ends(), message).into_compile_error()
    }

    /// The source file, where the compiler knows it.
    pub(crate) fn file(self) -> Option<PathBuf> {
        proc_macro::is_available().then(|| self.start.unwrap().local_file()).flatten()
    }

    /// The place as a person finds it.
    pub(crate) fn described(self) -> String {
        if !proc_macro::is_available() {
            return String::new();
        }
        let span = self.start.unwrap();
        format!("{}:{}:{}", span.file(), span.line(), span.column())
    }

    /// Two tokens, at the first and the last of this place.
    fn ends(self) -> TokenStream {
        let (start, end) = (Ident::new("start", self.start), Ident::new("end", self.end));
        let end = quote_spanned!(self.end=> #end);
        quote_spanned!(self.start=> #start #end)
    }
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self { start: span, end: span }
    }
}

fn opening(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    }
}

fn closing(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    }
}
