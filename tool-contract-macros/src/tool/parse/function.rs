//! The function below the attribute.
//!
//! Only its signature is read. The body stays the tokens that it is, so that
//! an editor can complete in one that is half typed.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Signature, Type, Visibility};
use tool_contract_spec::policy::ArgumentRole;

use super::{argument, saga, shape};
use crate::findings::Findings;
use crate::place::Place;
use crate::tool::Kind;

/// A function that shall become a tool.
pub(crate) struct Function {
    /// Its attributes, less those of parameters.
    pub(crate) attributes: Vec<Attribute>,
    /// Who may call it.
    pub(crate) visibility: Visibility,
    /// Its signature as written, less what only this macro understands.
    pub(crate) signature: Signature,
    /// Its body; `None` if there is only a semicolon.
    pub(crate) body: Option<Group>,
    /// Whether its first parameter is `&Cx`.
    pub(crate) takes_cx: bool,
    /// Whether it is a saga, whose first parameter is `Saga`.
    pub(crate) is_saga: bool,
    /// Its other parameters.
    pub(crate) arguments: Vec<Argument>,
    /// The type that it says it returns.
    pub(crate) output: Option<Type>,
}

/// An argument of the tool.
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: Ident,
    /// Its type.
    pub(crate) ty: Type,
    /// What it is to the operation hash.
    pub(crate) role: ArgumentRole,
    /// Its doc comment, which the compiler would not take on a parameter.
    pub(crate) docs: Vec<Attribute>,
}

/// Splits an item into the parts of a function.
///
/// # Errors
/// Where it is no function.
pub(super) fn split(item: TokenStream) -> Result<Parts, Place> {
    let read = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        Ok(Parts { attributes, visibility, signature, rest: input.parse()? })
    };
    read.parse2(item).map_err(|error: syn::Error| error.span().into())
}

/// The parts of a function, unjudged.
pub(super) struct Parts {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    pub(super) signature: Signature,
    rest: TokenStream,
}

impl Parts {
    /// Reads the parameters, and says what of the shape no tool can have.
    pub(super) fn read(self, kind: Kind, findings: &mut Findings) -> Function {
        let Self { attributes, visibility, mut signature, rest } = self;
        let parameters = argument::read(kind, &mut signature, findings);
        let output = match &signature.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(ty.as_ref().clone()),
        };
        let function = Function {
            attributes,
            visibility,
            signature,
            body: body(rest),
            takes_cx: parameters.takes_cx,
            is_saga: kind == Kind::Saga,
            arguments: parameters.arguments,
            output,
        };
        shape::judge(&function, findings);
        if function.is_saga {
            saga::judge(&function, findings);
        }
        function
    }
}

fn body(rest: TokenStream) -> Option<Group> {
    match rest.into_iter().next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}
