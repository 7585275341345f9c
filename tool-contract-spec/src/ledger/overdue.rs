//! What time did to a record before anybody looked.

use super::{Log, Record, State, StateName, Timestamp, lapse};

impl Record {
    /// Whether a lease ran out that nobody has looked at since: the operation is
    /// unknown at `now`, and the next step will write so.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        if !matches!(self.state, State::Running { .. } | State::Reconciling { .. }) {
            return false;
        }
        let mut next = self.clone();
        lapse(&mut next, &mut Log::new(now));
        next.state.name() == StateName::Unknown
    }
}
