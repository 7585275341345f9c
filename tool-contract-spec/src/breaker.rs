//! A circuit breaker: after a run of outcomes that say that the other side is
//! down, calls are refused for a while; then one tries.
//!
//! ```text
//!            a run of failures             the cooldown is over
//!  closed ────────────────────▶ open ────────────────────▶ half open: one call tries
//!    ▲                           ▲  it is down as before         │
//!    │                           └───────────────────────────────┤
//!    └───────────────────────────────────────────────────────────┘ it answers
//! ```
//!
//! Times are of a clock that never steps back.

use std::time::Duration;

use crate::outcome::{Cause, OutcomeClass};
use crate::policy::Breaker;

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// Calls pass.
    Closed {
        /// How many outcomes in a row said that the other side is down.
        run: u32,
    },
    /// Calls are refused.
    Open {
        /// Until then.
        until: Duration,
    },
    /// One call tries, the others are refused.
    HalfOpen {
        /// From then on another one tries: of the first nothing was heard.
        until: Duration,
    },
}

/// What an outcome says of the other side.
enum Health {
    Up,
    /// It answers, if not as was hoped.
    Answers,
    Down,
    /// Nothing.
    Silent,
}

impl Health {
    const fn of(class: OutcomeClass) -> Self {
        match class {
            OutcomeClass::Success => Self::Up,
            OutcomeClass::ValidationFailure
            | OutcomeClass::PermissionDenied
            | OutcomeClass::PermanentFailure => Self::Answers,
            OutcomeClass::RetryableFailure(Cause::Unavailable)
            | OutcomeClass::SideEffectUnknown => Self::Down,
            OutcomeClass::RetryableFailure(_) => Self::Silent,
        }
    }
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { run: 0 }
    }
}

impl Circuit {
    /// Lets a call pass.
    ///
    /// # Errors
    /// How long it is to wait.
    pub fn pass(&mut self, breaker: Breaker, now: Duration) -> Result<(), Duration> {
        match *self {
            Self::Closed { .. } => Ok(()),
            Self::Open { until } | Self::HalfOpen { until } if now < until => {
                Err(until.saturating_sub(now))
            }
            Self::Open { .. } | Self::HalfOpen { .. } => {
                *self = Self::HalfOpen { until: now.saturating_add(breaker.cooldown) };
                Ok(())
            }
        }
    }

    /// Takes note of how an attempt ended.
    pub const fn note(&mut self, breaker: Breaker, class: OutcomeClass, now: Duration) {
        let open = Self::Open { until: now.saturating_add(breaker.cooldown) };
        *self = match (Health::of(class), *self) {
            (Health::Up, _) | (Health::Answers, Self::HalfOpen { .. }) => Self::Closed { run: 0 },
            (Health::Down, Self::Closed { run }) if run + 1 < breaker.failures => {
                Self::Closed { run: run + 1 }
            }
            (Health::Down, Self::Closed { .. } | Self::HalfOpen { .. }) => open,
            // What began before it opened says nothing new.
            (Health::Down, Self::Open { .. }) | (Health::Answers | Health::Silent, _) => *self,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKER: Breaker = Breaker { failures: 3, cooldown: Duration::from_secs(30) };
    const DOWN: OutcomeClass = OutcomeClass::RetryableFailure(Cause::Unavailable);
    const UNKNOWN: OutcomeClass = OutcomeClass::SideEffectUnknown;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn noted(classes: &[OutcomeClass]) -> Circuit {
        let mut circuit = Circuit::default();
        for class in classes {
            circuit.note(BREAKER, *class, at(0));
        }
        circuit
    }

    #[test]
    fn it_opens_on_a_run_of_what_is_unavailable_or_unknown() {
        let mut circuit = noted(&[DOWN, UNKNOWN]);
        assert_eq!(circuit.pass(BREAKER, at(0)), Ok(()));
        circuit.note(BREAKER, DOWN, at(10));
        assert_eq!(circuit.pass(BREAKER, at(10)), Err(at(30)));
        assert_eq!(circuit.pass(BREAKER, at(39)), Err(at(1)));
    }

    #[test]
    fn a_success_ends_the_run_and_what_is_refused_does_not_count() {
        assert_eq!(
            noted(&[DOWN, DOWN, OutcomeClass::Success, DOWN, DOWN]),
            Circuit::Closed { run: 2 }
        );
        let others = [
            OutcomeClass::ValidationFailure,
            OutcomeClass::PermissionDenied,
            OutcomeClass::PermanentFailure,
            OutcomeClass::RetryableFailure(Cause::RateLimited),
            OutcomeClass::RetryableFailure(Cause::LockTimeout),
            OutcomeClass::RetryableFailure(Cause::Network),
            OutcomeClass::RetryableFailure(Cause::Other),
        ];
        for other in others {
            assert_eq!(noted(&[other; 9]), Circuit::default(), "{other}");
            assert_eq!(noted(&[DOWN, other, DOWN]), Circuit::Closed { run: 2 }, "{other}");
        }
    }

    #[test]
    fn after_the_cooldown_one_tries() {
        for (class, closes) in [
            (OutcomeClass::Success, true),
            (OutcomeClass::ValidationFailure, true),
            (DOWN, false),
            (UNKNOWN, false),
        ] {
            let mut circuit = noted(&[DOWN; 3]);
            assert_eq!(circuit.pass(BREAKER, at(30)), Ok(()));
            assert_eq!(circuit.pass(BREAKER, at(30)), Err(at(30)), "one, and no more");
            circuit.note(BREAKER, class, at(35));
            let passes = circuit.pass(BREAKER, at(35));
            assert_eq!(passes, if closes { Ok(()) } else { Err(at(30)) }, "{class}");
        }
    }

    #[test]
    fn if_nothing_is_heard_of_it_another_one_tries() {
        let mut circuit = noted(&[DOWN; 3]);
        assert_eq!(circuit.pass(BREAKER, at(30)), Ok(()));
        circuit.note(BREAKER, OutcomeClass::RetryableFailure(Cause::Other), at(31));
        assert_eq!(circuit.pass(BREAKER, at(59)), Err(at(1)));
        assert_eq!(circuit.pass(BREAKER, at(60)), Ok(()));
    }

    #[test]
    fn what_began_before_it_opened_does_not_keep_it_open() {
        let mut circuit = noted(&[DOWN; 3]);
        circuit.note(BREAKER, DOWN, at(29));
        assert_eq!(circuit.pass(BREAKER, at(30)), Ok(()));
    }
}
