//! How a project makes rules stricter.

use std::collections::BTreeMap;

use super::{Code, Finding, Level};

/// The levels that a project raised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels(BTreeMap<Code, Level>);

impl Levels {
    /// These levels, with findings of `code` weighing at least `level`.
    /// Nothing becomes lighter by it.
    #[must_use]
    pub fn raise(mut self, code: Code, level: Level) -> Self {
        let raised = self.0.entry(code).or_insert(level);
        *raised = level.max(*raised);
        self
    }

    /// Raises the level of each finding.
    pub fn apply<At>(&self, findings: &mut [Finding<At>]) {
        for finding in findings {
            let raised = self.0.get(&finding.code).copied();
            finding.level = finding.level.max(raised.unwrap_or(finding.level));
        }
    }
}
