//! What scripts read of a record: its head, one line in which each thing has its
//! place.
//!
//! | from | to | what |
//! |---:|---:|---|
//! | 1 | 20 | the version |
//! | 22 | 41 | the fence |
//! | 43 | 106 | the hash |
//! | 108 | | `w` if somebody may wait for the record to change |
//! | 109 | | `n` if it is in the [index](super::keys::ToolKeys::noted) of its state |
//! | 111 | | the state; after a space, until when, where it is over by itself |

use std::fmt;

use super::keys::{is_noted, number};
use crate::ledger::{Record, State, StateName, Timestamp};

/// The head of a record.
pub(super) struct Head<'a> {
    pub(super) version: u64,
    pub(super) record: &'a Record,
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, record } = self;
        let state = record.state.name();
        let watched = if state.is_moving() { 'w' } else { '-' };
        let noted = if is_noted(state) { 'n' } else { '-' };
        let (version, fence) = (number(*version), number(record.fence.0));
        write!(f, "{version} {fence} {} {watched}{noted} {state} ", record.hash)?;
        match until(&record.state) {
            Some(until) => write!(f, "{}", until.0),
            None => Ok(()),
        }
    }
}

/// Enough of a head to see that somebody else changed the record.
#[derive(PartialEq, Eq)]
pub(super) struct Glance {
    fence: String,
    state: String,
}

impl Glance {
    /// `None` for what is no head.
    pub(super) fn of(head: &str) -> Option<Self> {
        let mut words = head.split(' ');
        let (fence, state) = (words.nth(1)?, words.nth(2)?);
        Some(Self { fence: fence.to_owned(), state: state.to_owned() })
    }

    pub(super) fn is_moving(&self) -> bool {
        StateName::ALL.iter().any(|state| state.is_moving() && state.as_str() == self.state)
    }
}

/// When a state is over by itself, as far as listings ask.
fn until(state: &State) -> Option<Timestamp> {
    match state {
        State::Running { lease_until } | State::Reconciling { lease_until, .. } => {
            Some(*lease_until)
        }
        State::Succeeded { expires_at, .. }
        | State::Denied { expires_at }
        | State::Abandoned { expires_at, .. } => Some(*expires_at),
        State::AwaitingApproval
        | State::Approved
        | State::Released { .. }
        | State::Exhausted { .. }
        | State::Unknown(_)
        | State::Expired => None,
    }
}
