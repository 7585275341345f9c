//! The one place where drafts are judged.

use super::Finding;
use crate::draft::Draft;
use crate::policy::Contract;

/// What the rulebook makes of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<At> {
    /// The contract: there is one exactly if nothing was refused, neither here
    /// nor by the reader who left a [`Field::Refused`](crate::draft::Field).
    pub contract: Option<Contract>,
    /// Every broken rule, ordered by code.
    pub findings: Vec<Finding<At>>,
}

/// Judges a draft by every rule that can be judged on one tool's declaration.
#[must_use]
pub fn check<At: Clone>(draft: &Draft<At>) -> Checked<At> {
    let _ = draft;
    Checked { contract: None, findings: Vec::new() }
}
