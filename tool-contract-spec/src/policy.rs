//! What a tool declares, with every default filled in.
//!
//! A [`Policy`] is only ever made by the [rulebook](crate::rulebook), or by
//! code that the macro generated after asking the rulebook; so whoever holds
//! one need not check it again.

use std::borrow::Cow;
use std::time::Duration;

use crate::outcome::{Cause, OutcomeClass};

/// Text that a contract carries: a literal in generated code, owned when read
/// from a file.
pub type Text = Cow<'static, str>;

/// What the action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideEffect {
    /// Nothing.
    Read,
    /// It changes something.
    Write,
    /// It changes something that cannot be brought back.
    Destructive,
}

impl SideEffect {
    /// Every class of action, mildest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Destructive];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

/// Who makes a repetition harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DedupedBy {
    /// Our ledger: the function runs once per key.
    Ledger,
    /// The called API dedupes on the key that the body passes to it.
    Downstream,
    /// Repeating has no further effect.
    Nature,
}

impl DedupedBy {
    /// Every way, weakest first.
    pub const ALL: [Self; 3] = [Self::Ledger, Self::Downstream, Self::Nature];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Downstream => "downstream",
            Self::Nature => "nature",
        }
    }
}

/// Whether and how a repetition is harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// A read has nothing to repeat.
    Read,
    /// `idempotent = false`: every call is its own operation.
    Never,
    /// One effect per key.
    Keyed {
        /// Who sees to it.
        by: DedupedBy,
        /// The template that derives the key from the arguments; without one
        /// the caller gives the key.
        template: Option<Text>,
    },
}

/// What may be retried: a set of causes, and perhaps unknown outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RetryOn(u8);

impl RetryOn {
    const UNKNOWN: u8 = 1 << 7;
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// `retryable`: every cause.
    pub const RETRYABLE: Self = Self(0b1_1111);

    /// This set with `cause`.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | (1 << cause as u8))
    }

    /// This set with `side_effect_unknown`.
    #[must_use]
    pub const fn with_unknown(self) -> Self {
        Self(self.0 | Self::UNKNOWN)
    }

    /// The union of two sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether an outcome of this class is in the set.
    #[must_use]
    pub const fn contains(self, class: OutcomeClass) -> bool {
        match class {
            OutcomeClass::RetryableFailure(cause) => self.0 & (1 << cause as u8) != 0,
            OutcomeClass::SideEffectUnknown => self.0 & Self::UNKNOWN != 0,
            _ => false,
        }
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number, for generated code; see [`RetryOn::from_bits`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of a number that [`RetryOn::bits`] gave; other bits are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::RETRYABLE.0 | Self::UNKNOWN))
    }

    /// The words of the set in their one order, as contracts write them:
    /// all causes together are `retryable_failure`.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.0 & Self::RETRYABLE.0 == Self::RETRYABLE.0 {
            words.push("retryable_failure");
        } else {
            let named = Cause::ALL
                .into_iter()
                .filter(|c| self.contains(OutcomeClass::RetryableFailure(*c)));
            words.extend(named.map(Cause::as_str));
        }
        if self.contains(OutcomeClass::SideEffectUnknown) {
            words.push(OutcomeClass::SideEffectUnknown.as_str());
        }
        words
    }
}

/// How the delay between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backoff {
    /// `base`, twice that, four times that …, up to `cap`.
    Exponential,
    /// `base` each time.
    Constant,
}

impl Backoff {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Exponential, Self::Constant];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Constant => "constant",
        }
    }
}

/// How the delay is spread, so that many callers do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// Anywhere between nothing and the whole delay.
    Full,
    /// The whole delay.
    None,
}

impl Jitter {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Full, Self::None];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::None => "none",
        }
    }
}

/// The retry matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts of one call, the first included. At least 1.
    pub max: u32,
    /// Attempts under one key, over all calls and processes.
    pub max_total: u32,
    /// What is retried.
    pub on: RetryOn,
    /// How the delay grows.
    pub backoff: Backoff,
    /// The first delay.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
    /// How the delay is spread.
    pub jitter: Jitter,
    /// The wall-clock time that one call's attempts may take together.
    pub budget: Option<Duration>,
}

impl Retry {
    /// The most that `max` and `max_total`'s default may be.
    pub const MOST: u32 = 20;
    /// `max_total` where none is given, unless `max` is greater.
    pub const DEFAULT_TOTAL: u32 = 10;
    /// `base` where none is given.
    pub const DEFAULT_BASE: Duration = Duration::from_millis(200);
    /// `cap` where none is given.
    pub const DEFAULT_CAP: Duration = Duration::from_secs(10);

    /// One attempt and no more: what a tool has that does not say `retry`.
    pub const ONCE: Self = Self {
        max: 1,
        max_total: Self::DEFAULT_TOTAL,
        on: RetryOn::NOTHING,
        backoff: Backoff::Exponential,
        base: Self::DEFAULT_BASE,
        cap: Self::DEFAULT_CAP,
        jitter: Jitter::Full,
        budget: None,
    };

    /// The longest time that the attempts of one call may take: the budget,
    /// else attempts × (`timeout` + backoff cap).
    #[must_use]
    pub fn span(&self, timeout: Duration) -> Duration {
        self.budget.unwrap_or_else(|| timeout.saturating_add(self.cap).saturating_mul(self.max))
    }
}

/// How long a finished key replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    /// The window.
    pub window: Duration,
    /// Whether each replay starts the window again.
    pub sliding: bool,
}

impl Ttl {
    /// 24 hours, not sliding.
    pub const DEFAULT: Self = Self { window: Duration::from_hours(24), sliding: false };
}

/// The rollback boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// A read has nothing to roll back.
    Read,
    /// Nothing undoes it.
    None,
    /// A person undoes it.
    ManualOnly,
    /// A compensation: the path of a function.
    Compensate(Text),
}

/// How an unknown outcome is found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconcile {
    /// The path of the function that looks.
    pub with: Text,
    /// How long an effect may take to become visible: before that, "it did
    /// not happen" is not believed.
    pub settle: Duration,
}

impl Reconcile {
    /// `settle` where none is given.
    pub const DEFAULT_SETTLE: Duration = Duration::from_secs(10);
}

/// Who confirms a destructive action, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// How long a request, and then its grant, is good for.
    pub ttl: Duration,
    /// How many different people must agree. At least 1.
    pub quorum: u32,
}

impl Confirm {
    /// `ttl` where none is given.
    pub const DEFAULT_TTL: Duration = Duration::from_mins(15);
}

/// Whom a limit counts together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every call of the tool; where a limit is over a class, of all its tools.
    Tool,
    /// The calls of one tenant.
    Tenant,
    /// The calls of one user of one tenant.
    User,
    /// The calls of one workflow of one tenant.
    Workflow,
}

impl Scope {
    /// Every scope, widest first.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Tenant, Self::User, Self::Workflow];

    /// The word for it, as in `per_tool`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::Workflow => "workflow",
        }
    }
}

/// The span over which a rate counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// `/s`
    Second,
    /// `/min`
    Minute,
    /// `/h`
    Hour,
    /// `/d`
    Day,
}

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The word in a contract's field, as in `per_tool_per_minute`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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

/// What a second call is told while the first runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InFlight {
    /// It waits for the first one's result.
    Wait,
    /// It is refused.
    Reject,
}

impl InFlight {
    /// Every answer.
    pub const ALL: [Self; 2] = [Self::Wait, Self::Reject];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Reject => "reject",
        }
    }
}

/// What follows when the same operation comes under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remint {
    /// It runs, and the history says so.
    Warn,
    /// It is refused.
    Reject,
    /// It is answered with the first result.
    Replay,
}

impl Remint {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Warn, Self::Reject, Self::Replay];

    /// The word for it in attributes and contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Reject => "reject",
            Self::Replay => "replay",
        }
    }
}

/// Where the key of an operation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// A read has none.
    None,
    /// Each call is an operation of its own, with a generated id.
    Generated,
    /// The caller gives it.
    Caller,
    /// It is derived from the arguments.
    Derived,
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

/// What a tool declares about its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What it does to the world.
    pub side_effect: SideEffect,
    /// Whether a repetition is harmless.
    pub idempotency: Idempotency,
    /// The retry matrix.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long a finished key replays.
    pub ttl: Ttl,
    /// The rollback boundary.
    pub rollback: Rollback,
    /// How an unknown outcome is found out; without it, a person does.
    pub reconcile: Option<Reconcile>,
    /// Who confirms it. `Some` on every destructive tool, and only there.
    pub confirm: Option<Confirm>,
    /// Its limits, ordered by scope.
    pub limits: Cow<'static, [Limit]>,
    /// When its calls are refused because the other side is down.
    pub breaker: Option<Breaker>,
    /// What a second call is told while the first runs.
    pub in_flight: InFlight,
    /// What follows when the same operation comes under another key.
    pub remint: Remint,
}

impl Policy {
    /// `timeout` where none is given.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// Whether the tool does nothing to the world.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.side_effect == SideEffect::Read
    }

    /// Whether repeating what may have happened is harmless: somebody other
    /// than our ledger sees to that.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self.idempotency,
            Idempotency::Keyed { by: DedupedBy::Downstream | DedupedBy::Nature, .. }
        )
    }

    /// Whether the called API dedupes on the key.
    #[must_use]
    pub fn is_deduped_downstream(&self) -> bool {
        matches!(self.idempotency, Idempotency::Keyed { by: DedupedBy::Downstream, .. })
    }

    /// Whether a call can be undone without a person, or leaves nothing behind.
    #[must_use]
    pub fn is_compensable(&self) -> bool {
        matches!(self.rollback, Rollback::Read | Rollback::Compensate(_))
    }

    /// Whether a call can be repeated until it succeeds.
    #[must_use]
    pub fn is_completable(&self) -> bool {
        let is_retried = self.is_idempotent() && self.retry.max > 1;
        self.is_read() || is_retried || self.is_repeatable()
    }

    /// Whether one key may be attempted more than once.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.idempotency, Idempotency::Read | Idempotency::Keyed { .. })
    }

    /// Where the key comes from.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        match &self.idempotency {
            Idempotency::Read => KeySource::None,
            Idempotency::Never => KeySource::Generated,
            Idempotency::Keyed { template: None, .. } => KeySource::Caller,
            Idempotency::Keyed { template: Some(_), .. } => KeySource::Derived,
        }
    }

    /// The longest time in which a retry of this call can still arrive: that
    /// of its attempts, and the time that an approval may take. A ttl shorter
    /// than this is refused (TC0013), and a call in flight is waited for no
    /// longer than this.
    #[must_use]
    pub fn span(&self) -> Duration {
        let approval = self.confirm.map_or(Duration::ZERO, |confirm| confirm.ttl);
        self.retry.span(self.timeout).saturating_add(approval)
    }
}

/// What an argument is to the operation hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArgumentRole {
    /// It is part of the operation.
    Hashed,
    /// `#[arg(ignore)]`: it is left out.
    Ignored,
    /// `#[arg(secret)]`: it enters as an HMAC and is never stored in clear.
    Secret,
}

/// An argument of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: Text,
    /// What it is to the operation hash.
    pub role: ArgumentRole,
}

/// A tool's whole contract, as code and file state it.
///
/// The JSON Schemas of arguments and output are not here: only a running
/// program knows them. See [`crate::document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The tool's name.
    pub name: Text,
    /// The Rust path of its function; empty where a file does not say.
    pub path: Text,
    /// What the model is told that it does: the doc comment.
    pub description: Text,
    /// The contract version; a part of the operation hash.
    pub version: u32,
    /// What it declares.
    pub policy: Policy,
    /// Its arguments in the order of the source; empty where a file does not
    /// say.
    pub arguments: Cow<'static, [Argument]>,
    /// Warnings and advice that are settled for this tool, by code.
    pub allow: Cow<'static, [Text]>,
}
