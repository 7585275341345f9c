//! Finds the same operation under another key.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::ledger::{Fence, Record};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::Text;

use crate::hashed::BuildHashed;

/// What the index needs to know of a record: it changes with a claim only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    hash: OperationHash,
    fence: Fence,
}

impl Mark {
    pub(super) const fn of(record: &Record) -> Self {
        Self { hash: record.hash, fence: record.fence }
    }
}

/// The records by what they do.
#[derive(Debug, Default)]
pub(super) struct Twins(HashMap<OperationHash, Group, BuildHashed>);

/// Those with one hash. Nearly always it is one, and that one must be cheap.
#[derive(Debug)]
enum Group {
    One(OperationId, Fence),
    Many(BTreeMap<Place, IdempotencyKey>),
}

/// The newest of a tenant and a tool comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    tenant: Option<Tenant>,
    tool: Text,
    fence: Fence,
}

impl Place {
    fn of(id: &OperationId, fence: Fence) -> Self {
        Self { tenant: id.tenant.clone(), tool: id.tool.clone(), fence }
    }
}

impl Twins {
    /// The keys under which the operation of `id` and `hash` stands, the one with
    /// the newest fence first.
    pub(super) fn find(
        &self,
        id: &OperationId,
        hash: OperationHash,
    ) -> impl Iterator<Item = &IdempotencyKey> {
        let (one, many) = match self.0.get(&hash) {
            None => (None, None),
            Some(Group::One(one, _)) => {
                let is_same = one.tenant == id.tenant && one.tool == id.tool;
                (is_same.then_some(&one.key), None)
            }
            Some(Group::Many(places)) => {
                let all = Place::of(id, Fence::NONE)..=Place::of(id, Fence(u64::MAX));
                (None, Some(places.range(all).rev().map(|(_, key)| key)))
            }
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Follows the record of `id` from one mark to the next. A record that was
    /// never claimed never happened, and is left out.
    pub(super) fn follow(&mut self, id: &OperationId, before: Option<Mark>, after: Mark) {
        if before == Some(after) {
            return;
        }
        if let Some(before) = before.filter(|mark| mark.fence > Fence::NONE) {
            self.remove(id, before);
        }
        if after.fence > Fence::NONE {
            self.insert(id, after);
        }
    }

    fn remove(&mut self, id: &OperationId, mark: Mark) {
        let Entry::Occupied(mut group) = self.0.entry(mark.hash) else { return };
        let is_empty = match group.get_mut() {
            Group::One(..) => true,
            Group::Many(places) => {
                places.remove(&Place::of(id, mark.fence));
                places.is_empty()
            }
        };
        if is_empty {
            group.remove();
        }
    }

    fn insert(&mut self, id: &OperationId, mark: Mark) {
        match self.0.entry(mark.hash) {
            Entry::Vacant(vacant) => {
                vacant.insert(Group::One(id.clone(), mark.fence));
            }
            Entry::Occupied(mut group) => {
                group.get_mut().places().insert(Place::of(id, mark.fence), id.key.clone());
            }
        }
    }
}

impl Group {
    fn places(&mut self) -> &mut BTreeMap<Place, IdempotencyKey> {
        if let Self::One(id, fence) = self {
            *self = Self::Many(BTreeMap::from([(Place::of(id, *fence), id.key.clone())]));
        }
        match self {
            Self::Many(places) => places,
            Self::One(..) => unreachable!("it was turned into many"),
        }
    }
}
