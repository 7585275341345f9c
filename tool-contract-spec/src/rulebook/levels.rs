//! How a project makes rules stricter.

use std::collections::BTreeMap;

use super::{Code, Finding, Level};

/// The levels that a project raised.
///
/// Whoever shows findings applies them last. A tool's `allow` settles a finding
/// before that, at whatever level: a project that is strict about a warning
/// still lets one tool say why it is an exception.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(levels: &Levels, codes: &[Code]) -> Vec<Level> {
        let mut findings: Vec<_> =
            codes.iter().map(|code| Finding::new(*code, (), "", "")).collect();
        levels.apply(&mut findings);
        findings.into_iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn a_raised_rule_weighs_more() {
        let raised = Levels::default()
            .raise(Code::NO_BUDGET, Level::Warn)
            .raise(Code::FLOAT_ARGUMENT, Level::Deny);
        let codes = [Code::NO_BUDGET, Code::FLOAT_ARGUMENT, Code::NO_RATE_LIMIT];
        assert_eq!(levels(&raised, &codes), [Level::Warn, Level::Deny, Level::Advise]);
    }

    #[test]
    fn nothing_is_lowered() {
        let lowered = Levels::default()
            .raise(Code::MISSING_SIDE_EFFECT, Level::Advise)
            .raise(Code::NO_BUDGET, Level::Deny)
            .raise(Code::NO_BUDGET, Level::Warn);
        assert_eq!(
            levels(&lowered, &[Code::MISSING_SIDE_EFFECT, Code::NO_BUDGET]),
            [Level::Deny, Level::Deny]
        );
    }
}
