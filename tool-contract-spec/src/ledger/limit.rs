//! Limits: the generic cell rate algorithm (GCRA, ITU-T I.371) for rates, a
//! counter for counts, open for a while or for ever, and slots for how many run at
//! a time.
//!
//! A slot is taken in the step that claims, and belongs to that claim: it is
//! held for as long as the lease, follows its renewals ([`Hold`]), and is free
//! once the operation no longer runs. So who dies with a slot gives it back with
//! its lease.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fence, Record, State, Timestamp};
use crate::key::Tenant;
use crate::policy::{Limit, Period, Quota, SideEffect, Text};

/// Which calls a limit is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Those of one tool.
    Tool(Text),
    /// Those of all tools of a class.
    Class(SideEffect),
    /// Those of all tools.
    All,
}

impl Over {
    /// A name of its own: no tool's has a star.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tool(tool) => tool,
            Self::Class(SideEffect::Read) => "*read",
            Self::Class(SideEffect::Write) => "*write",
            Self::Class(SideEffect::Destructive) => "*destructive",
            Self::All => "*",
        }
    }
}

impl From<&'static str> for Over {
    fn from(tool: &'static str) -> Self {
        Self::Tool(tool.into())
    }
}

/// Which calls are counted together by one limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CellId {
    /// Which calls.
    pub over: Over,
    /// The limit; there may be several of one scope.
    pub limit: Limit,
    /// The tenant, for every scope but the tool's.
    pub tenant: Option<Tenant>,
    /// The user or the workflow, for those scopes; calls that name none share
    /// a cell, so that leaving the name out is no way around a limit.
    pub subject: Option<Arc<str>>,
}

impl CellId {
    /// Whether it counts calls at a time.
    #[must_use]
    pub const fn takes_a_slot(&self) -> bool {
        matches!(self.limit.quota, Quota::Concurrent(_))
    }
}

/// What a call draws from one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The limit's cell.
    pub cell: CellId,
    /// How long it is until what it is drawn for begins.
    pub ahead: Duration,
}

impl Draw {
    /// For what begins now.
    #[must_use]
    pub const fn now(cell: CellId) -> Self {
        Self { cell, ahead: Duration::ZERO }
    }

    /// For how many milliseconds after the first draw from a count this one has room.
    #[must_use]
    pub fn open_for(&self) -> u64 {
        match self.cell.limit.quota {
            Quota::Within(_, span) => {
                let left = span.saturating_sub(self.ahead).as_nanos().div_ceil(1_000_000);
                u64::try_from(left).unwrap_or(u64::MAX)
            }
            _ => u64::MAX,
        }
    }
}

/// How much of a limit is used up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// For a rate: the theoretical arrival time; for a count: when it was first
    /// drawn from; for slots: when the last of them is free at the latest. In
    /// nanoseconds since the epoch.
    pub arrival: u64,
    /// For a count: how many.
    pub count: u32,
    /// For calls at a time: who holds the slots.
    pub slots: Vec<Slot>,
}

/// A slot of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The claim.
    pub fence: Fence,
    /// Until when it is held.
    pub until: Timestamp,
}

impl Slot {
    /// That of the claim that holds the operation now, if one does.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        match record.state {
            State::Running { lease_until } => {
                Some(Self { fence: record.fence, until: lease_until })
            }
            _ => None,
        }
    }
}

/// What a step does to a slot that a claim held before it: it is held until
/// another time, and free if that is past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The limit's cell.
    pub cell: CellId,
    /// The slot as it is afterwards.
    pub slot: Slot,
}

impl Hold {
    /// What a step does to the slots of the claim that it found.
    #[must_use]
    pub fn moved(before: &Record, after: &Record) -> Vec<Self> {
        let Some(held) = Slot::of(before).filter(|_| !before.slots.is_empty()) else {
            return Vec::new();
        };
        let until = match Slot::of(after).filter(|slot| slot.fence == held.fence) {
            Some(slot) if slot.until == held.until => return Vec::new(),
            Some(slot) => slot.until,
            None => Timestamp::ZERO,
        };
        let slot = Slot { until, ..held };
        before.slots.iter().map(|cell| Self { cell: cell.clone(), slot }).collect()
    }
}

impl Cell {
    /// Whether it says no more than a new cell would, so that a store may drop
    /// it: nothing was counted, and the rate has refilled.
    #[must_use]
    pub const fn is_idle(&self, now: Timestamp) -> bool {
        self.count == 0 && self.arrival <= since_epoch(now)
    }

    /// Keeps a slot until another time, or gives it back.
    pub fn hold(&mut self, slot: Slot, now: Timestamp) {
        let mut slots = std::mem::take(&mut self.slots);
        for held in slots.iter_mut().filter(|held| held.fence == slot.fence) {
            *held = slot;
        }
        slots.retain(|held| held.until > now);
        *self = Self::holding(slots);
    }

    fn holding(slots: Vec<Slot>) -> Self {
        let last = slots.iter().map(|slot| slot.until).max().unwrap_or(Timestamp::ZERO);
        Self { arrival: since_epoch(last), count: 0, slots }
    }
}

/// A limit that has no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// Its cell.
    pub cell: CellId,
    /// For a count: how many were drawn.
    pub used: u32,
    /// When it has room again; `None` if it never has.
    pub retry_after: Option<Duration>,
}

impl Limited {
    /// How much it lets through.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.cell.limit.quota
    }
}

/// A rate, in the nanoseconds by which it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// By how much a call moves the theoretical arrival time.
    pub increment: u64,
    /// How far that time may be ahead.
    pub span: u64,
}

impl Pace {
    /// The pace of so many calls per period.
    #[must_use]
    pub fn of(count: u32, period: Period) -> Self {
        let count = u64::from(count.max(1));
        let increment = (nanos(period.length()) / count).max(1);
        // Not the period itself: what the division lost would add up to one call
        // more.
        Self { increment, span: increment.saturating_mul(count) }
    }
}

/// Draws from all cells, or from none. A claim takes its `slot` where calls at a
/// time are counted; who claims nothing finds room there, and takes none.
///
/// # Errors
/// The limit that has no room; of several, the one that has none for longest.
pub fn draw(
    cells: &mut [Cell],
    draws: &[Draw],
    slot: Option<Slot>,
    now: Timestamp,
) -> Result<(), Limited> {
    let (mut after, mut refused) = (Vec::with_capacity(cells.len()), Vec::new());
    for (cell, draw) in cells.iter().zip(draws) {
        match drawn(cell, draw, slot, now) {
            Ok(cell) => after.push(cell),
            Err(retry_after) => {
                refused.push(Limited { cell: draw.cell.clone(), used: cell.count, retry_after });
            }
        }
    }
    if let Some(worst) =
        refused.into_iter().max_by_key(|one| one.retry_after.unwrap_or(Duration::MAX))
    {
        return Err(worst);
    }
    cells.iter_mut().zip(after).for_each(|(cell, after)| *cell = after);
    Ok(())
}

/// The cell after one call, or when there is room for one.
fn drawn(
    cell: &Cell,
    draw: &Draw,
    slot: Option<Slot>,
    now: Timestamp,
) -> Result<Cell, Option<Duration>> {
    match draw.cell.limit.quota {
        Quota::Count(most) | Quota::Within(most, _) => {
            let now = since_epoch(now);
            let first = if cell.count == 0 { now } else { cell.arrival };
            let closes = first.saturating_add(draw.open_for().saturating_mul(1_000_000));
            if cell.count >= most || now >= closes {
                return Err(None);
            }
            Ok(Cell { arrival: first, count: cell.count.saturating_add(1), ..Cell::default() })
        }
        Quota::Concurrent(most) => {
            let held = cell.slots.iter().filter(|slot| slot.until > now).copied();
            if held.clone().zip(0..most).count() == most as usize {
                // Sooner, if a call ends.
                return Err(held.map(|slot| slot.until.since(now)).min());
            }
            Ok(Cell::holding(held.chain(slot.filter(|slot| slot.until > now)).collect()))
        }
        Quota::Rate(count, period) => {
            let Pace { increment, span } = Pace::of(count, period);
            let now = since_epoch(now);
            // Only a clock that stepped back leaves more than a full debt. It lets
            // one call through, which brings the cell to the new time.
            let full = now.saturating_add(span);
            let before = if cell.arrival > full { full - increment } else { cell.arrival.max(now) };
            let arrival = before.saturating_add(increment);
            let debt = arrival - now;
            if debt > span {
                return Err(Some(Duration::from_nanos(debt - span)));
            }
            Ok(Cell { arrival, ..Cell::default() })
        }
    }
}

const fn since_epoch(time: Timestamp) -> u64 {
    time.0.saturating_mul(1_000_000)
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
