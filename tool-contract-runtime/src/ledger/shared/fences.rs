//! Fences, reserved in blocks: a round trip for each would be one too many.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::Store;
use crate::ledger::{Fence, LedgerError};

/// How many are reserved at once.
const BLOCK: u64 = 256;

/// What is left of the newest block.
#[derive(Default)]
pub(super) struct Fences(Mutex<Range<u64>>);

impl Fences {
    /// A fence that nobody has, and that is newer than `newest`.
    ///
    /// Within one operation they grow: a block that is older than what the
    /// operation has seen is given up.
    pub(super) async fn after(
        &self,
        newest: Fence,
        store: &impl Store,
    ) -> Result<Fence, LedgerError> {
        if let Some(fence) = self.take(newest) {
            return Ok(fence);
        }
        let first = store.reserve_fences(BLOCK).await?.0;
        let last = first.saturating_add(BLOCK);
        if first <= newest.0 || last == u64::MAX {
            return Err(LedgerError::Corrupt(format!(
                "its sequence of fences stands at {first}, and a record has {} already: it was \
                 set back, or belongs to another ledger",
                newest.0
            )));
        }
        *self.left() = first + 1..last;
        Ok(Fence(first))
    }

    /// Takes back one that nobody came to have.
    pub(super) fn give_back(&self, unused: Fence) {
        let mut left = self.left();
        if left.start == unused.0 + 1 {
            left.start = unused.0;
        }
    }

    fn take(&self, newest: Fence) -> Option<Fence> {
        let mut left = self.left();
        if left.start <= newest.0 { None } else { left.next().map(Fence) }
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Range<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
