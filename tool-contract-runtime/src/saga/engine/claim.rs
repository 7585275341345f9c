//! The claim of a saga, by which alone its history is written.

use std::time::Duration;

use tool_contract_spec::ledger::{Note, Renewed};
use tool_contract_spec::rulebook::Code;

use super::Engine;
use crate::error::{About, CallError, LedgerFailure, Rejected};
use crate::ledger::LedgerError;
use crate::saga::Rests;

/// How often a note is asked for again when its answer was lost.
const NOTE_TRIES: u32 = 3;
/// The first pause before that, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

impl Engine {
    /// Whether the claim holds at `now` for certain.
    pub(in crate::saga) fn holds_at(&self, now: Duration) -> bool {
        now < self.state().until
    }

    /// Sees to it that the claim holds.
    pub(in crate::saga) async fn hold(&self, number: u32) -> Result<(), CallError<()>> {
        if self.holds_at(self.cx.runtime.elapsed()) {
            return Ok(());
        }
        self.write(number, None).await
    }

    /// Renews the claim, and writes a note with it. A process that lost the claim
    /// learns of it here.
    pub(super) async fn write(&self, number: u32, note: Option<Note>) -> Result<(), CallError<()>> {
        let clock = self.cx.runtime.clock();
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let asked_at = clock.elapsed();
            match self.ledger.renew(self.id.clone(), self.fence, note.clone()).await {
                Ok(Renewed::Until { now, lease_until }) => {
                    let mut state = self.state();
                    state.until = state.until.max(asked_at.saturating_add(lease_until.since(now)));
                    return Ok(());
                }
                Ok(Renewed::Lost { .. }) => return Err(self.lost(number)),
                Err(LedgerError::Unavailable(_)) if tries < NOTE_TRIES => {
                    tries += 1;
                    clock.pause(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(self.unnoted(error)),
            }
        }
    }

    fn lost(&self, number: u32) -> CallError<()> {
        let reason = "the claim of its saga was lost: another process may have taken it over";
        let next = "call the saga again with its key: it gets the result, or goes on";
        self.state().until = Duration::ZERO;
        self.halt(Rests::again(
            format!("[{}] {reason}; nothing more was begun", Code::SAGA_LOST),
            None,
        ));
        let about = About::known(&self.id, 0);
        let reason = format!("step {number} was not begun: {reason}");
        CallError::from(Rejected::new(Code::SAGA_LOST, about, reason, next))
    }

    fn unnoted(&self, error: LedgerError) -> CallError<()> {
        self.halt(Rests::again(format!("a step could not be noted: {error}"), None));
        CallError::from(LedgerFailure { about: About::known(&self.id, 0), error })
    }
}
