//! Which functions can be tools (TC0022).

use quote::ToTokens;
use syn::Type;
use tool_contract_spec::rulebook::Code;

use super::borrowed;
use super::function::Function;
use crate::findings::Findings;
use crate::place::Place;

/// Says what of the shape no tool can have, each at its own place. Parameters
/// are judged where they are read.
pub(super) fn judge(function: &Function, findings: &mut Findings) {
    judge_qualifiers(function, findings);
    judge_generics(function, findings);
    judge_output(function, findings);
    if function.body.is_none() {
        refuse(&function.signature.ident, "has no body", "write one: `{ .. }`", findings);
    }
}

fn judge_qualifiers(function: &Function, findings: &mut Findings) {
    let signature = &function.signature;
    if let Some(token) = &signature.constness {
        refuse(token, "is a `const fn`, but a tool acts on the world", "remove `const`", findings);
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        let help =
            "remove `unsafe`, and keep what its callers would have to see to inside of the body";
        refuse(token, "is an `unsafe fn`, but an agent can promise nothing", help, findings);
    }
    if let Some(abi) = &signature.abi {
        refuse(
            abi,
            "is an `extern fn`, but a tool is called by its contract",
            "remove the ABI",
            findings,
        );
    }
    if let Some(variadic) = &signature.variadic {
        refuse(
            variadic,
            "is variadic, but a contract lists its arguments",
            "name each argument",
            findings,
        );
    }
}

fn judge_generics(function: &Function, findings: &mut Findings) {
    let generics = &function.signature.generics;
    let help = "write the types out; another type makes another tool";
    if !generics.params.is_empty() {
        refuse(
            generics,
            "has generic parameters, but a contract is about one function",
            help,
            findings,
        );
    } else if let Some(clause) = &generics.where_clause {
        refuse(
            clause,
            "has a `where` clause, but a contract is about one function",
            help,
            findings,
        );
    }
}

fn judge_output(function: &Function, findings: &mut Findings) {
    let help = "write `-> Result<Output, Error>`, with an error that derives `ToolError`";
    let Some(output) = &function.output else {
        let signature = &function.signature;
        let what = "returns nothing, but a tool says what came of it";
        return refuse_at(
            Place::of(&signature.ident).to(signature.paren_token.span.close().into()),
            what,
            help,
            findings,
        );
    };
    if let Some((place, what)) = borrowed::find(output) {
        let what = format!("has {what} in its output, but outputs are stored and replayed");
        let help = match output {
            Type::ImplTrait(_) => "write an `async fn` that returns a `Result<Output, Error>`",
            _ => "return a type that owns its data and has a name",
        };
        return refuse_at(place, &what, help, findings);
    }
    // Aliases of `Result` are the type checker's to see through.
    if !matches!(output, Type::Path(_) | Type::Group(_) | Type::Paren(_) | Type::Macro(_)) {
        refuse(output, "does not return a `Result`", help, findings);
    }
}

fn refuse(at: impl ToTokens, what: &str, help: &str, findings: &mut Findings) {
    refuse_at(Place::of(at), what, help, findings);
}

fn refuse_at(place: Place, what: &str, help: &str, findings: &mut Findings) {
    let message = format!("`{}` {what}", findings.subject);
    findings.add(Code::UNFIT_SIGNATURE, place, message, help);
}
