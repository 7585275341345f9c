//! Paths of rollback and reconcile functions.

use syn::{ExprPath, Lit};
use tool_contract_spec::rulebook::Code;

use super::keys::{Unread, path_text};
use super::meta::Value;
use crate::findings::Findings;
use crate::place::Place;

/// What may be the path of a function: between quotes, or bare so that editors
/// can follow it.
pub(super) struct FunctionPath {
    /// As people write it.
    pub(super) text: String,
    /// Where it stands.
    pub(super) at: Place,
    /// `None` if what stands between the quotes is no path.
    path: Option<ExprPath>,
}

impl FunctionPath {
    /// Reads it, whatever stands between the quotes.
    pub(super) fn read(value: &Value) -> Result<Self, Unread> {
        let at = value.place().ok_or(Unread::Expected(PATH))?;
        let (text, path) = match value {
            Value::Literal(Lit::Str(literal)) => {
                (literal.value(), literal.parse::<ExprPath>().ok())
            }
            Value::Path(path) => (String::new(), Some(path.clone())),
            _ => return Err(Unread::Expected(PATH)),
        };
        Ok(Self { text: path.as_ref().map_or(text, path_text), at, path })
    }

    /// The path, for the type checker to look at (TC0016).
    pub(super) fn checked(
        &self,
        role: &str,
        help: &str,
        findings: &mut Findings,
    ) -> Result<ExprPath, Unread> {
        self.path.clone().ok_or_else(|| {
            let message = format!(
                "the {role} function of `{}` is not a path: `{}`",
                findings.subject, self.text
            );
            findings.add(Code::UNFIT_FUNCTION, self.at, message, help);
            Unread::Refused
        })
    }
}

const PATH: &str = "the path of a function";
