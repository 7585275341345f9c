//! Fences, reserved in blocks: a round trip for each would be one too many.

use std::collections::BTreeSet;
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Store;
use crate::ledger::{Fence, LedgerError};

/// How many are reserved at once.
const BLOCK: u64 = 256;

/// Fences that nobody has yet.
#[derive(Default)]
pub(super) struct Fences {
    left: Mutex<Left>,
    /// Of many that find none left, one reserves, and the others wait for it.
    reserving: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Left {
    /// What is left of the newest block.
    block: Range<u64>,
    /// Those that were taken and given back: no more than were ever out at once.
    back: BTreeSet<u64>,
}

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
        if let Some(fence) = self.left().take(newest) {
            return Ok(fence);
        }
        let _reserving = self.reserving.lock().await;
        if let Some(fence) = self.left().take(newest) {
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
        self.left().block = first + 1..last;
        Ok(Fence(first))
    }

    /// Takes back one that nobody came to have.
    pub(super) fn give_back(&self, unused: Fence) {
        self.left().back.insert(unused.0);
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    fn take(&mut self, newest: Fence) -> Option<Fence> {
        let newer = (Bound::Excluded(newest.0), Bound::Unbounded);
        if let Some(back) = self.back.range(newer).next().copied() {
            self.back.remove(&back);
            return Some(Fence(back));
        }
        if self.block.start <= newest.0 { None } else { self.block.next().map(Fence) }
    }
}
