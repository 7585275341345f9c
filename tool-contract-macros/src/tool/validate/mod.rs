//! The rulebook's word on a draft, and what only the macro can know.

mod drift;
mod library;
mod names;

use proc_macro2::{Ident, TokenStream};
use tool_contract_spec::policy::Contract;
use tool_contract_spec::rulebook;

use super::parse::{Function, Options, Parsed};
use crate::contract_file::Package;
use crate::findings::Findings;

/// A declaration, judged.
pub(crate) struct Validated {
    /// The function.
    pub(crate) function: Function,
    /// Whether the function's shape is a tool's.
    pub(crate) fits: bool,
    /// What the attribute says besides the contract.
    pub(crate) options: Options,
    /// The name of the generated type.
    pub(crate) type_name: Ident,
    /// What was declared; `None` if it is refused.
    pub(crate) contract: Option<Contract>,
    /// Everything that is wrong with it.
    pub(crate) findings: Findings,
    /// Whether generated code can name this library.
    pub(crate) is_library_known: bool,
    /// Items without which the verdict would go stale.
    pub(crate) tracking: TokenStream,
}

/// Judges what was read.
pub(crate) fn validate(parsed: Parsed, package: Option<&Package>) -> Validated {
    let wanted_name = parsed.type_name();
    let Parsed { draft, options, function, fits, mut findings } = parsed;
    let checked = rulebook::check(&draft);
    findings.extend(checked.findings);
    let type_name = names::judge_type(wanted_name, &function, &mut findings);
    names::judge_tool(&draft, &function, &mut findings);
    let is_library_known = library::judge(&options, package, &mut findings);
    let contract = checked.contract.filter(|_| !findings.any_deny());
    let tracking = match (package, &contract) {
        (Some(package), Some(contract)) => drift::judge(package, &draft, contract, &mut findings),
        _ => TokenStream::new(),
    };
    Validated { function, fits, options, type_name, contract, findings, is_library_known, tracking }
}
