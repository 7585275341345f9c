//! Records that this process wrote and holds: its next step on them needs not ask
//! what they are.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tool_contract_spec::key::OperationId;

use super::Versioned;
use crate::ledger::State;

/// How many are remembered; for more, the store is asked.
const MOST: usize = 4_096;

/// What was written last of the operations that are held here.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<OperationId, Versioned>>);

impl Held {
    pub(super) fn get(&self, id: &OperationId) -> Option<Versioned> {
        self.held().get(id).cloned()
    }

    /// Takes note of what was written, or found to be there.
    pub(super) fn note(&self, id: &OperationId, written: &Versioned) {
        let mut held = self.held();
        if !matches!(written.record.state, State::Running { .. }) {
            held.remove(id);
        } else if held.len() < MOST || held.contains_key(id) {
            held.insert(id.clone(), written.clone());
        }
    }

    pub(super) fn forget(&self, id: &OperationId) {
        self.held().remove(id);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<OperationId, Versioned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
