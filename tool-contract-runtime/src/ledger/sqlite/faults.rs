//! Faults that a test puts into the writer.

use std::sync::Mutex;

/// What goes wrong at the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It fails, and nothing is durable.
    Lost,
    /// It fails, and all is durable.
    Kept,
}

/// Faults that a test puts into the writer; each happens once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Option<CommitFault>>);

impl Faults {
    pub(crate) fn fail_next_commit(&self, fault: CommitFault) {
        *self.0.lock().expect("no panic under it") = Some(fault);
    }

    pub(super) fn take(&self) -> Option<CommitFault> {
        self.0.lock().expect("no panic under it").take()
    }
}
