//! How many calls are let through.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SideEffect;
use crate::worded::worded;

worded! {
    /// Whom a limit counts together, widest first.
    #[derive(
        Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
    )]
    #[serde(rename_all = "snake_case")]
    pub enum Scope {
        /// Every call of the tool; where a limit is over a class, of all its tools.
        Tool => "tool",
        /// The calls of one tenant.
        Tenant => "tenant",
        /// The calls of one user of one tenant.
        User => "user",
        /// The calls of one workflow of one tenant.
        Workflow => "workflow",
    }
}

worded! {
    /// The span over which a rate counts, shortest first.
    #[derive(
        Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
    )]
    #[serde(rename_all = "snake_case")]
    pub enum Period {
        /// `/s`
        Second => "second",
        /// `/min`
        Minute => "minute",
        /// `/h`
        Hour => "hour",
        /// `/d`
        Day => "day",
    }
}

impl Period {
    /// The unit in an attribute, as in `100/s`.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        })
    }
}

/// How much a limit lets through. Limits count claims, not attempts; a budget alone
/// counts these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// So many per period, evenly refilled, and so many at once. At least 1.
    Rate(u32, Period),
    /// So many in all. At least 1.
    Count(u32),
    /// So many in all, at least 1, and none later than so long after the first. No
    /// contract has one: it is what a budget over all tools takes.
    Within(u32, Duration),
    /// So many at a time: from claim to settlement, and no longer than the lease.
    /// From 1 to [`Quota::MOST_CONCURRENT`]. A read claims nothing, and has none.
    Concurrent(u32),
}

impl Quota {
    /// The most calls at a time that a limit can count: it remembers each of them.
    pub const MOST_CONCURRENT: u32 = 1_000;

    /// So many a second.
    #[must_use]
    pub const fn per_second(calls: u32) -> Self {
        Self::Rate(calls, Period::Second)
    }

    /// So many a minute.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        Self::Rate(calls, Period::Minute)
    }

    /// So many an hour.
    #[must_use]
    pub const fn per_hour(calls: u32) -> Self {
        Self::Rate(calls, Period::Hour)
    }

    /// So many a day.
    #[must_use]
    pub const fn per_day(calls: u32) -> Self {
        Self::Rate(calls, Period::Day)
    }
}

/// One limit: of a tool, or of all tools of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// Whom it counts together.
    pub scope: Scope,
    /// How much it lets through.
    pub quota: Quota,
}

impl Limit {
    /// One for all calls together.
    #[must_use]
    pub const fn for_all(quota: Quota) -> Self {
        Self { scope: Scope::Tool, quota }
    }

    /// One for each tenant.
    #[must_use]
    pub const fn per_tenant(quota: Quota) -> Self {
        Self { scope: Scope::Tenant, quota }
    }

    /// One for each user of each tenant.
    #[must_use]
    pub const fn per_user(quota: Quota) -> Self {
        Self { scope: Scope::User, quota }
    }

    /// One for each workflow of each tenant.
    #[must_use]
    pub const fn per_workflow(quota: Quota) -> Self {
        Self { scope: Scope::Workflow, quota }
    }

    /// Whether tools of this class can keep it: it lets something through, and a
    /// read has no claim that could be counted while it lasts.
    #[must_use]
    pub const fn can_be_kept(self, class: SideEffect) -> bool {
        match self.quota {
            Quota::Rate(most, _) | Quota::Count(most) => most > 0,
            Quota::Within(most, span) => most > 0 && !span.is_zero(),
            Quota::Concurrent(most) => {
                most > 0 && most <= Quota::MOST_CONCURRENT && !matches!(class, SideEffect::Read)
            }
        }
    }
}

/// When calls of a tool are refused because the other side is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Breaker {
    /// After how many outcomes in a row that are unavailable or unknown. From 1 to
    /// [`Breaker::MOST`].
    pub failures: u32,
    /// For how long, until one call tries.
    pub cooldown: Duration,
}

impl Breaker {
    /// The most that `failures` may be.
    pub const MOST: u32 = 1_000;
    /// Where nothing else is given: 5 failures, 30 seconds.
    pub const DEFAULT: Self = Self { failures: 5, cooldown: Duration::from_secs(30) };
}
