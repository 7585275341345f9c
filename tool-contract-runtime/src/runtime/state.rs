//! What bodies take from their runtime.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use crate::tool::StateType;

/// One value of each type.
#[derive(Default)]
pub(super) struct States(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl States {
    pub(super) fn put<S: Send + Sync + 'static>(&mut self, state: S) {
        self.0.insert(TypeId::of::<S>(), Box::new(state));
    }

    pub(super) fn get<S: 'static>(&self) -> Option<&S> {
        self.0.get(&TypeId::of::<S>())?.downcast_ref()
    }

    /// The first of these types that is not here, by its name.
    pub(super) fn missing(&self, types: &[StateType]) -> Option<&'static str> {
        types
            .iter()
            .find(|wanted| !self.0.contains_key(&(wanted.id)()))
            .map(|wanted| (wanted.name)())
    }
}
