//! Whether generated code can name this library.

use proc_macro2::Span;
use tool_contract_spec::rulebook::Code;

use super::Options;
use crate::contract_file::Package;
use crate::findings::Findings;

/// Says so if `::tool_contract` is no name in the package that is compiled:
/// else each path in the expansion would be an error of its own.
pub(super) fn judge(options: &Options, package: Option<&Package>, findings: &mut Findings) -> bool {
    let is_known = options.krate.is_some() || package.is_none_or(Package::names_library);
    if !is_known {
        let message = format!(
            "`{}` cannot find `::tool_contract`, which its package does not depend on by this name",
            findings.subject
        );
        let help = "add the dependency, or say where it is found: `#[tool(crate = path::to::tool_contract, ..)]`";
        findings.add(Code::MALFORMED_FIELD, Span::call_site(), message, help);
    }
    is_known
}
