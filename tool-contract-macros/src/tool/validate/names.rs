//! Names that are taken.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident};
use tool_contract_spec::draft::Draft;
use tool_contract_spec::rulebook::Code;

use super::Function;
use crate::findings::Findings;
use crate::place::Place;

/// The name of the generated type; another one, with a finding, if the
/// signature uses a type of that name. The compiler would only say that one of
/// the two is wrong.
pub(super) fn judge_type(name: Ident, function: &Function, findings: &mut Findings) -> Ident {
    let signature = &function.signature;
    let types = function.arguments.iter().map(|argument| argument.ty.to_token_stream());
    let types = types.chain(signature.output.to_token_stream().into_iter().map(TokenStream::from));
    if !types.into_iter().any(|tokens| mentions(tokens, &name)) {
        return name;
    }
    let other = format_ident!("{name}Call");
    let message = format!(
        "the type of the tool `{}` would be called `{name}`, as another in its signature",
        findings.subject
    );
    let help = format!("give it another name: `args = \"{other}\"`");
    findings.add(Code::MALFORMED_FIELD, name.span(), message, help);
    other
}

/// Whether `name` stands in `tokens` without a path before it.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    let mut after_colon = false;
    tokens.into_iter().any(|token| {
        let is_free = !std::mem::replace(
            &mut after_colon,
            matches!(&token, TokenTree::Punct(p) if p.as_char() == ':'),
        );
        match token {
            TokenTree::Group(group) => mentions(group.stream(), name),
            TokenTree::Ident(ident) => is_free && ident == *name,
            _ => false,
        }
    })
}

/// Says so if another tool of this crate has the name (TC0017).
///
/// A macro sees one function at a time, so this only works where one process
/// expands one crate once, as the compiler does. An editor's server expands
/// the same function again and again; there the runtime's own check remains.
pub(super) fn judge_tool(draft: &Draft<Place>, function: &Function, findings: &mut Findings) {
    // Which of two functions under `#[cfg(..)]` there will be is not known yet.
    let is_conditional = function
        .attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"));
    if !is_compiler() || is_conditional {
        return;
    }
    let name = &draft.name;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(first) = known.insert(name.value.clone(), name.at.described()) {
        let message = format!(
            "`{}` is the name of two tools in this crate; the other is at {first}",
            name.value
        );
        findings.add(
            Code::DUPLICATE_TOOL,
            name.at,
            message,
            "rename one, or give it another name: `name = \"..\"`",
        );
    }
}

/// Each tool of the crate, and where it stands.
static KNOWN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

fn is_compiler() -> bool {
    static IS_COMPILER: LazyLock<bool> = LazyLock::new(|| {
        let program = std::env::current_exe().ok();
        let name =
            program.as_ref().and_then(|path| path.file_stem()).and_then(|stem| stem.to_str());
        matches!(name, Some("rustc" | "clippy-driver" | "rustdoc"))
    });
    *IS_COMPILER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_mentioned_where_it_stands_without_a_path() {
        let name = format_ident!("Receipt");
        for (tokens, expected) in [
            ("Receipt", true),
            ("Result<Vec<Receipt>, Error>", true),
            ("(u8, [Receipt; 2])", true),
            ("shop::Receipt", false),
            ("Receipts", false),
        ] {
            assert_eq!(mentions(tokens.parse().unwrap(), &name), expected, "{tokens}");
        }
    }
}
