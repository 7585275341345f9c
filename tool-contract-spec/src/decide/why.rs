//! A decision in words, for the people who look later.

use super::{Decision, NextStep, Progress, Row};
use crate::outcome::{Outcome, OutcomeClass};
use crate::policy::Policy;

impl Decision {
    /// What was decided, and why: `escalate: it may have happened; only the ledger
    /// dedupes it; there is no reconcile function`. What is given is what
    /// [`decide`](super::decide) was given.
    #[must_use]
    pub fn why(&self, policy: &Policy, outcome: Outcome, progress: Progress) -> String {
        let class = outcome.class;
        let obstacle = || obstacle(policy, outcome, progress);
        let reason = match self.row {
            Row::Success => "it happened".to_owned(),
            Row::Final => format!("{class} is not cured by repetition"),
            Row::Retry => format!("nothing happened, `on` names {class}, and attempts are left"),
            Row::NoRetry => format!("nothing happened; {}", obstacle()),
            Row::UnknownRead => "a read may be repeated, and attempts are left".to_owned(),
            Row::UnknownReadSpent => obstacle(),
            Row::Doubt => format!(
                "this attempt left nothing behind, but an earlier one may have happened; {}",
                finding_out(policy)
            ),
            Row::UnknownRepeatable => {
                "it may have happened; others dedupe it, and `on` names side_effect_unknown"
                    .to_owned()
            }
            Row::UnknownReconcilable | Row::Unknown => {
                format!("it may have happened; {}; {}", obstacle(), finding_out(policy))
            }
        };
        format!("{}: {reason}", word(self.step))
    }
}

const fn word(step: NextStep) -> &'static str {
    match step {
        NextStep::Continue => "continue",
        NextStep::Stop => "stop",
        NextStep::RetryAfter { .. } => "retry",
        NextStep::Reconcile => "reconcile",
        NextStep::Escalate => "escalate",
    }
}

/// Why it is not simply tried again. The first obstacle is the one that no other
/// number of attempts would remove.
fn obstacle(policy: &Policy, outcome: Outcome, progress: Progress) -> String {
    let (retry, class) = (&policy.retry, outcome.class);
    let may_have_happened = class == OutcomeClass::SideEffectUnknown;
    if !policy.is_idempotent() {
        "it is not idempotent".to_owned()
    } else if may_have_happened && !policy.is_read() && !policy.is_repeatable() {
        "only the ledger dedupes it".to_owned()
    } else if !(retry.on.contains(class) || may_have_happened && policy.is_read()) {
        format!("`on` does not name {class}")
    } else if outcome.retry_after == Some(Outcome::NEVER) {
        "no other attempt would change that".to_owned()
    } else if !policy.is_read() && progress.total >= retry.max_total {
        format!("the key has had its {} attempts", retry.max_total)
    } else if progress.attempt >= retry.max {
        "this call has no attempt left".to_owned()
    } else {
        "there is no time left for another attempt".to_owned()
    }
}

fn finding_out(policy: &Policy) -> &'static str {
    if policy.reconcile.is_some() {
        "a reconcile function finds out"
    } else {
        "there is no reconcile function"
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decide::{decide, example_policy};
    use crate::outcome::Cause;
    use crate::policy::{DedupedBy, Idempotency, Reconcile, Retry, RetryOn};

    const FIRST: Progress = Progress {
        attempt: 1,
        total: 1,
        elapsed: Duration::ZERO,
        remaining: None,
        in_doubt: false,
    };
    const BUSY: OutcomeClass = OutcomeClass::RetryableFailure(Cause::RateLimited);

    fn why(policy: &Policy, class: OutcomeClass, progress: Progress) -> String {
        decide(policy, class.into(), progress).why(policy, class.into(), progress)
    }

    fn retrying(on: RetryOn, by: DedupedBy) -> Policy {
        Policy {
            idempotency: Idempotency::Keyed { by, template: None },
            retry: Retry { max: 3, max_total: 4, on, ..Retry::ONCE },
            ..example_policy()
        }
    }

    #[test]
    fn what_may_have_happened_says_why_nobody_repeats_it() {
        let unknown = OutcomeClass::SideEffectUnknown;
        let plain = example_policy();
        assert_eq!(
            why(&plain, unknown, FIRST),
            "escalate: it may have happened; only the ledger dedupes it; there is no reconcile function"
        );
        let reconcile = Reconcile { with: "find".into(), settle: Duration::ZERO };
        let found_out = Policy { reconcile: Some(reconcile), ..example_policy() };
        assert_eq!(
            why(&found_out, unknown, FIRST),
            "reconcile: it may have happened; only the ledger dedupes it; a reconcile function finds out"
        );
        let never = Policy { idempotency: Idempotency::Never, ..example_policy() };
        assert!(why(&never, unknown, FIRST).contains("it is not idempotent"));
        let unnamed = retrying(RetryOn::RETRYABLE, DedupedBy::Downstream);
        assert!(why(&unnamed, unknown, FIRST).contains("`on` does not name side_effect_unknown"));
        let named = retrying(RetryOn::NOTHING.with_unknown(), DedupedBy::Downstream);
        assert_eq!(
            why(&named, unknown, FIRST),
            "retry: it may have happened; others dedupe it, and `on` names side_effect_unknown"
        );
        let spent = Progress { total: 4, ..FIRST };
        assert!(why(&named, unknown, spent).contains("the key has had its 4 attempts"));
        let never = Outcome::new(unknown).with_retry_after(Some(Outcome::NEVER));
        assert_eq!(
            decide(&named, never, FIRST).why(&named, never, FIRST),
            "escalate: it may have happened; no other attempt would change that; there is no reconcile function"
        );
    }

    #[test]
    fn what_is_not_tried_again_says_what_stands_in_the_way() {
        let policy = retrying(RetryOn::NOTHING.with(Cause::RateLimited), DedupedBy::Ledger);
        let network = OutcomeClass::RetryableFailure(Cause::Network);
        let late = Progress { remaining: Some(Duration::ZERO), ..FIRST };
        let doubt = Progress { in_doubt: true, ..FIRST };
        for (class, progress, expected) in [
            (BUSY, FIRST, "retry: nothing happened, `on` names retryable_failure(rate_limited)"),
            (
                network,
                FIRST,
                "stop: nothing happened; `on` does not name retryable_failure(network)",
            ),
            (BUSY, Progress { attempt: 3, ..FIRST }, "no attempt left"),
            (BUSY, Progress { total: 4, ..FIRST }, "the key has had its 4 attempts"),
            (BUSY, late, "no time left"),
            (BUSY, doubt, "escalate: this attempt left nothing behind, but an earlier one may"),
            (OutcomeClass::PermissionDenied, FIRST, "stop: permission_denied is not cured"),
        ] {
            let said = why(&policy, class, progress);
            assert!(said.contains(expected), "{said}");
        }
    }
}
