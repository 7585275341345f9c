//! What all calls of an objective may use together.

use std::time::Duration;

use tool_contract_spec::policy::{Limit, Quota};

/// What all calls of an objective may use together: so many attempts, and no
/// longer than so long.
///
/// An objective is a workflow of a tenant: `.tenant(..)` and `.workflow(..)` of a
/// call. Every attempt of its calls counts, first ones and retries, of all tools,
/// reads too. What undoes or finds out draws nothing, and a replay costs nothing.
///
/// What is used up stays so: the ledger remembers each objective for good, and a
/// person who lets it go on gives it another name, or another budget.
///
/// ```
/// # use tool_contract_runtime as tool_contract;
/// use std::time::Duration;
/// use tool_contract::ledger::MemoryLedger;
/// use tool_contract::{Budget, Runtime};
///
/// let runtime = Runtime::builder()
///     .ledger(MemoryLedger::new())
///     .budget(Budget::attempts(40).within(Duration::from_mins(10)))
///     .build()?;
/// # Ok::<(), tool_contract::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    attempts: u32,
    within: Option<Duration>,
}

impl Budget {
    /// So many attempts. At least 1.
    #[must_use]
    pub const fn attempts(most: u32) -> Self {
        Self { attempts: most, within: None }
    }

    /// And none that begins later than so long after the first, by the ledger's
    /// clock. More than nothing.
    #[must_use]
    pub const fn within(self, span: Duration) -> Self {
        Self { within: Some(span), ..self }
    }

    /// Itself as a limit over all tools.
    pub(crate) const fn limit(self) -> Limit {
        Limit::per_workflow(match self.within {
            Some(span) => Quota::Within(self.attempts, span),
            None => Quota::Count(self.attempts),
        })
    }
}
