//! Finds the same operation under another key.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::ledger::{Fence, Record, Timestamp};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::Text;

/// What the index needs to know of a record that speaks for its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    hash: OperationHash,
    until: Timestamp,
    fence: Fence,
}

impl Mark {
    pub(super) fn of(record: &Record) -> Option<Self> {
        record.speaks_until().map(|until| Self { hash: record.hash, until, fence: record.fence })
    }
}

/// The records that speak for their operations, by what they do.
#[derive(Debug, Default)]
pub(super) struct Twins(HashMap<OperationHash, Group>);

/// Those with one hash. Nearly always it is one, and that one must be cheap.
#[derive(Debug)]
enum Group {
    One(OperationId, Mark),
    Many(BTreeMap<Place, IdempotencyKey>),
}

/// The last place of a tenant and a tool is the one that speaks for longest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    tenant: Option<Tenant>,
    tool: Text,
    until: Timestamp,
    fence: Fence,
}

impl Place {
    fn of(id: &OperationId, until: Timestamp, fence: Fence) -> Self {
        Self { tenant: id.tenant.clone(), tool: id.tool.clone(), until, fence }
    }
}

impl Twins {
    /// The key under which the operation of `id` and `hash` speaks for longest.
    pub(super) fn find(&self, id: &OperationId, hash: OperationHash) -> Option<IdempotencyKey> {
        match self.0.get(&hash)? {
            Group::One(one, _) => (one.tenant == id.tenant && one.tool == id.tool).then(|| one.key.clone()),
            Group::Many(places) => {
                let first = Place::of(id, Timestamp::ZERO, Fence::NONE);
                let last = Place::of(id, Timestamp::END, Fence(u64::MAX));
                places.range(first..=last).next_back().map(|(_, key)| key.clone())
            }
        }
    }

    /// Follows the record of `id` from one mark to the next.
    pub(super) fn follow(&mut self, id: &OperationId, before: Option<Mark>, after: Option<Mark>) {
        if before == after {
            return;
        }
        if let (Some(before), Some(after)) = (before, after)
            && let Some(Group::One(_, mark)) = self.0.get_mut(&before.hash)
            && after.hash == before.hash
        {
            *mark = after;
            return;
        }
        if let Some(before) = before {
            self.remove(id, before);
        }
        if let Some(after) = after {
            self.insert(id, after);
        }
    }

    fn remove(&mut self, id: &OperationId, mark: Mark) {
        let Entry::Occupied(mut group) = self.0.entry(mark.hash) else { return };
        let is_empty = match group.get_mut() {
            Group::One(..) => true,
            Group::Many(places) => {
                places.remove(&Place::of(id, mark.until, mark.fence));
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
                vacant.insert(Group::One(id.clone(), mark));
            }
            Entry::Occupied(mut group) => {
                let place = Place::of(id, mark.until, mark.fence);
                group.get_mut().places().insert(place, id.key.clone());
            }
        }
    }
}

impl Group {
    fn places(&mut self) -> &mut BTreeMap<Place, IdempotencyKey> {
        if let Self::One(id, mark) = self {
            let place = Place::of(id, mark.until, mark.fence);
            *self = Self::Many(BTreeMap::from([(place, id.key.clone())]));
        }
        match self {
            Self::Many(places) => places,
            Self::One(..) => unreachable!("it was turned into many"),
        }
    }
}
