//! What somebody wrote, with its places, before it is believed.
//!
//! The macro fills a [`Draft`] from tokens, the contract reader from YAML;
//! [`crate::rulebook::check`] turns either into a
//! [`Contract`](crate::policy::Contract) or findings.
//! `At` is the place: a span in source code, a line and column in a file.

use crate::policy::{ArgumentRole, Scope};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T, At> {
    /// What was written.
    pub value: T,
    /// Where.
    pub at: At,
}

impl<T, At> Located<T, At> {
    /// `value`, written at `at`.
    pub const fn new(value: T, at: At) -> Self {
        Self { value, at }
    }
}

/// A key that may be written.
///
/// `Refused` is a key that is there but already has a finding (a wrong kind of
/// value, a misspelt name): no rule is evaluated on it, so that one mistake
/// has one finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T, At> {
    /// It is not written.
    #[default]
    Absent,
    /// It is written, and already has a finding.
    Refused,
    /// It is written.
    Given {
        /// Where its name stands.
        key: At,
        /// Its value.
        value: Located<T, At>,
    },
}

/// There is no value to go on with: what is written, or that nothing is,
/// already has a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl<T, At> Field<T, At> {
    /// The value, if there is a usable one.
    pub const fn given(&self) -> Option<&Located<T, At>> {
        match self {
            Self::Given { value, .. } => Some(value),
            Self::Absent | Self::Refused => None,
        }
    }

    /// Where the key's name stands, if there is a usable value.
    pub const fn key(&self) -> Option<&At> {
        match self {
            Self::Given { key, .. } => Some(key),
            Self::Absent | Self::Refused => None,
        }
    }

    /// What is written, if anything is.
    ///
    /// # Errors
    /// If what is written was refused.
    pub const fn accepted(&self) -> Result<Option<&T>, Refused> {
        match self {
            Self::Given { value, .. } => Ok(Some(&value.value)),
            Self::Absent => Ok(None),
            Self::Refused => Err(Refused),
        }
    }

    /// The value of a key that has to be written.
    ///
    /// # Errors
    /// If it is not, or what is written was refused.
    pub fn required(&self) -> Result<&T, Refused> {
        self.accepted()?.ok_or(Refused)
    }

    /// The value, or `default` where nothing is written.
    ///
    /// # Errors
    /// If what is written was refused.
    pub fn value_or(&self, default: T) -> Result<T, Refused>
    where
        T: Clone,
    {
        self.accepted().map(|value| value.cloned().unwrap_or(default))
    }

    /// Whether nothing is written, not even something refused.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Which surface a draft was written on; findings speak its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `#[tool(..)]`
    Attribute,
    /// `tool-contract.yaml`
    Contract,
}

/// `idempotent`, `idempotent = false`, `idempotent(key = .., by = ..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentDraft<At> {
    /// Whether it claims to be idempotent.
    pub claimed: bool,
    /// `by`.
    pub by: Field<String, At>,
    /// The key template.
    pub key: Field<String, At>,
}

/// `retry(..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryDraft<At> {
    /// `max`. Larger numbers than fit are `u64::MAX`.
    pub max: Field<u64, At>,
    /// `max_total`, likewise.
    pub max_total: Field<u64, At>,
    /// `on`: each word with its place.
    pub on: Field<Vec<Located<String, At>>, At>,
    /// `backoff`.
    pub backoff: Field<String, At>,
    /// `base`, as written.
    pub base: Field<String, At>,
    /// `cap`, as written.
    pub cap: Field<String, At>,
    /// `jitter`.
    pub jitter: Field<String, At>,
    /// `budget`, as written.
    pub budget: Field<String, At>,
}

/// `ttl = ".."`, `ttl(window = "..", sliding)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TtlDraft<At> {
    /// The window, as written.
    pub window: Field<String, At>,
    /// Whether it slides.
    pub sliding: Field<bool, At>,
}

/// What `rollback` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackDraft {
    /// `"none"`.
    None,
    /// `"manual_only"`.
    ManualOnly,
    /// The path of a function.
    Compensate(String),
}

/// `reconcile = ".."`, `reconcile(with = "..", settle = "..")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileDraft<At> {
    /// The path of the function.
    pub with: Field<String, At>,
    /// `settle`, as written.
    pub settle: Field<String, At>,
}

/// `confirm(by = "human", ttl = "..", quorum = ..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmDraft<At> {
    /// `by`.
    pub by: Field<String, At>,
    /// `ttl`, as written.
    pub ttl: Field<String, At>,
    /// `quorum`. Larger numbers than fit are `u64::MAX`.
    pub quorum: Field<u64, At>,
}

/// A limit as written: `per_tool = "100/s"`, `per_tool_per_second: 100`,
/// `per_workflow = "50"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitDraft<At> {
    /// Whom it counts together.
    pub scope: Scope,
    /// `N/unit`, or a plain count; YAML readers write their fields so too.
    pub quota: Located<String, At>,
}

/// `breaker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerDraft<At> {
    /// `failures`.
    pub failures: Field<u64, At>,
    /// `cooldown`, as written.
    pub cooldown: Field<String, At>,
}

/// An argument of the function, where the surface knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentDraft<At> {
    /// Its name and place.
    pub name: Located<String, At>,
    /// What it is to the operation hash.
    pub role: ArgumentRole,
    /// Whether its type is written as text (`String`, `&str`, `Option<String>` …).
    pub is_text: bool,
    /// Whether a float stands in its type.
    pub has_float: bool,
}

/// A tool's declaration as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<At> {
    /// Which surface it was written on.
    pub surface: Surface,
    /// The place for what is absent: the attribute's name in code, the tool's
    /// name in a file.
    pub at: At,
    /// The tool's name, from `name` or the function.
    pub name: Located<String, At>,
    /// The path, where known.
    pub path: String,
    /// The doc comment or description; empty if there is none.
    pub description: String,
    /// `side_effect` or `mode`.
    pub side_effect: Field<String, At>,
    /// `idempotent`.
    pub idempotent: Field<IdempotentDraft<At>, At>,
    /// `idempotency_key_required`; YAML only.
    pub key_required: Field<bool, At>,
    /// `retry`.
    pub retry: Field<RetryDraft<At>, At>,
    /// `timeout`, as written.
    pub timeout: Field<String, At>,
    /// `ttl`.
    pub ttl: Field<TtlDraft<At>, At>,
    /// `rollback`.
    pub rollback: Field<RollbackDraft, At>,
    /// `reconcile`.
    pub reconcile: Field<ReconcileDraft<At>, At>,
    /// `reconcile_on_unknown`; YAML only.
    pub reconcile_on_unknown: Field<bool, At>,
    /// `confirm` or `confirmation`.
    pub confirm: Field<ConfirmDraft<At>, At>,
    /// `rate_limit`.
    pub rate_limit: Field<Vec<LimitDraft<At>>, At>,
    /// `concurrency`: each limit with its number.
    pub concurrency: Field<Vec<LimitDraft<At>>, At>,
    /// `breaker`.
    pub breaker: Field<BreakerDraft<At>, At>,
    /// `in_flight`.
    pub in_flight: Field<String, At>,
    /// `remint`.
    pub remint: Field<String, At>,
    /// `version`. Larger numbers than fit are `u64::MAX`.
    pub version: Field<u64, At>,
    /// `allow`: each code with its place.
    pub allow: Vec<Located<String, At>>,
    /// The arguments; `None` where the surface does not know them (a contract
    /// written by hand).
    pub arguments: Option<Vec<ArgumentDraft<At>>>,
    /// Whether the function takes `&Cx`; `None` where the surface does not
    /// know.
    pub takes_cx: Option<bool>,
}

impl<At> Draft<At> {
    /// A draft of which nothing but the name is written.
    pub const fn new(surface: Surface, at: At, name: Located<String, At>) -> Self {
        Self {
            surface,
            at,
            name,
            path: String::new(),
            description: String::new(),
            side_effect: Field::Absent,
            idempotent: Field::Absent,
            key_required: Field::Absent,
            retry: Field::Absent,
            timeout: Field::Absent,
            ttl: Field::Absent,
            rollback: Field::Absent,
            reconcile: Field::Absent,
            reconcile_on_unknown: Field::Absent,
            confirm: Field::Absent,
            rate_limit: Field::Absent,
            concurrency: Field::Absent,
            breaker: Field::Absent,
            in_flight: Field::Absent,
            remint: Field::Absent,
            version: Field::Absent,
            allow: Vec::new(),
            arguments: None,
            takes_cx: None,
        }
    }
}
