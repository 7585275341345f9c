//! Tokens become a draft for the rulebook, and what the generator needs.

mod argument;
mod attribute;
mod borrowed;
pub(crate) mod docs;
mod function;
mod function_path;
mod keys;
mod meta;
mod saga;
mod shape;
mod table;

use heck::ToUpperCamelCase as _;
use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use tool_contract_spec::draft::{ArgumentDraft, Draft, Located, Surface};
use tool_contract_spec::rulebook::Code;

pub(crate) use self::argument::is_cx;
pub(crate) use self::attribute::Options;
pub(crate) use self::borrowed::is_owned;
pub(crate) use self::function::{Argument, Function};
use super::Kind;
use crate::findings::Findings;
use crate::place::Place;

/// Everything that stands in the source about one tool.
pub(crate) struct Parsed {
    /// What the rulebook judges.
    pub(crate) draft: Draft<Place>,
    /// What the attribute says besides.
    pub(crate) options: Options,
    /// The function.
    pub(crate) function: Function,
    /// Whether the function's shape is a tool's.
    pub(crate) fits: bool,
    /// What is wrong with it so far.
    pub(crate) findings: Findings,
}

impl Parsed {
    /// The name of the type that is generated.
    pub(crate) fn type_name(&self) -> Ident {
        self.options.args.clone().unwrap_or_else(|| {
            let function = &self.function.signature.ident;
            Ident::new(&function.unraw().to_string().to_upper_camel_case(), function.span())
        })
    }
}

/// Reads the attribute and the function below it.
///
/// # Errors
/// The finding, if there is no function below it.
pub(crate) fn parse(
    kind: Kind,
    attribute: TokenStream,
    item: TokenStream,
) -> Result<Parsed, Findings> {
    let parts = function::split(item).map_err(|at| no_function(kind, at))?;
    let name = parts.signature.ident.clone();
    let mut findings = Findings::new(name.unraw().to_string());
    let function = parts.read(kind, &mut findings);
    let fits = !findings.any_deny();
    let at = Place::from(proc_macro2::Span::call_site());
    let mut draft = Draft::new(
        Surface::Attribute,
        at,
        Located::new(findings.subject.clone(), name.span().into()),
    );
    let options = attribute::read(kind, attribute, &mut draft, &mut findings);
    describe(&function, fits, &mut draft);
    Ok(Parsed { draft, options, function, fits, findings })
}

fn no_function(kind: Kind, at: Place) -> Findings {
    let kind = kind.as_str();
    let mut findings = Findings::new(kind.to_owned());
    let message = format!("`#[{kind}]` stands on something that is no function");
    findings.add(
        Code::UNFIT_SIGNATURE,
        at,
        message,
        "put it on an `async fn` or a `fn` with a body",
    );
    findings
}

/// Tells the rulebook of the function; not of one that has findings already,
/// from which others would follow.
fn describe(function: &Function, fits: bool, draft: &mut Draft<Place>) {
    draft.description = docs::text(&function.attributes);
    draft.takes_cx = fits.then_some(function.takes_cx);
    draft.arguments = fits.then(|| function.arguments.iter().map(argument_draft).collect());
}

fn argument_draft(argument: &Argument) -> ArgumentDraft<Place> {
    ArgumentDraft {
        name: Located::new(argument.name.unraw().to_string(), argument.name.span().into()),
        role: argument.role,
        is_text: borrowed::is_text(&argument.ty),
        has_float: borrowed::has_float(&argument.ty),
    }
}

#[cfg(test)]
mod tests;
