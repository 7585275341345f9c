//! The fields of a contract that code and file can differ in.

use crate::policy::Scope;

/// A field of a tool's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldName {
    /// `path`
    Path,
    /// `description`
    Description,
    /// `version`
    Version,
    /// `mode`
    Mode,
    /// `idempotent`
    Idempotent,
    /// `idempotency_key_required`
    KeyRequired,
    /// `idempotency.by`
    DedupedBy,
    /// `idempotency.key`
    Key,
    /// `idempotency.ttl`
    Ttl,
    /// `idempotency.sliding`
    Sliding,
    /// `idempotency.remint`
    Remint,
    /// `idempotency.in_flight`
    InFlight,
    /// `retry.max_attempts`
    MaxAttempts,
    /// `retry.max_total`
    MaxTotal,
    /// `retry.backoff`
    Backoff,
    /// `retry.base`
    Base,
    /// `retry.cap`
    Cap,
    /// `retry.jitter`
    Jitter,
    /// `retry.budget`
    Budget,
    /// `retry.retry_on`
    RetryOn,
    /// `timeout`
    Timeout,
    /// `rate_limit`, of one scope.
    RateLimit(Scope),
    /// `concurrency`, of one scope.
    Concurrency(Scope),
    /// `breaker.failures`
    BreakerFailures,
    /// `breaker.cooldown`
    BreakerCooldown,
    /// `confirmation.ttl`
    ConfirmationTtl,
    /// `confirmation.quorum`
    Quorum,
    /// `rollback.strategy`
    RollbackStrategy,
    /// `rollback.with`
    RollbackWith,
    /// `reconcile_on_unknown`
    ReconcileOnUnknown,
    /// `reconcile.with`
    ReconcileWith,
    /// `reconcile.settle`
    Settle,
    /// `allow`
    Allow,
    /// `arguments.ignored`
    Ignored,
    /// `arguments.secret`
    Secret,
    /// `arguments.schema`
    ArgumentsSchema,
    /// `output.schema`
    OutputSchema,
}

/// The key of `#[tool(..)]` that says what a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttributeKey {
    /// The key, as in `retry`.
    pub key: &'static str,
    /// The key within its parentheses, as in `max`.
    pub inner: Option<&'static str>,
}

impl FieldName {
    /// Its path in the entry, as in `retry.max_attempts`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.names().0
    }

    /// The key of the attribute that says the same; `None` where the function
    /// itself says it (its path, its doc comment, its types, `#[arg(..)]`).
    #[must_use]
    pub fn attribute_key(self) -> Option<AttributeKey> {
        match self.names().1 {
            "" => None,
            key => Some(AttributeKey { key, inner: self.names().2 }),
        }
    }

    /// The path in the entry; the key of the attribute, and the one within it.
    const fn names(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Path => ("path", "", None),
            Self::Description => ("description", "", None),
            Self::Version => ("version", "version", None),
            Self::Mode => ("mode", "side_effect", None),
            Self::Idempotent => ("idempotent", "idempotent", None),
            Self::KeyRequired => ("idempotency_key_required", "idempotent", Some("key")),
            Self::DedupedBy => ("idempotency.by", "idempotent", Some("by")),
            Self::Key => ("idempotency.key", "idempotent", Some("key")),
            Self::Ttl => ("idempotency.ttl", "ttl", Some("window")),
            Self::Sliding => ("idempotency.sliding", "ttl", Some("sliding")),
            Self::Remint => ("idempotency.remint", "remint", None),
            Self::InFlight => ("idempotency.in_flight", "in_flight", None),
            Self::MaxAttempts => ("retry.max_attempts", "retry", Some("max")),
            Self::MaxTotal => ("retry.max_total", "retry", Some("max_total")),
            Self::Backoff => ("retry.backoff", "retry", Some("backoff")),
            Self::Base => ("retry.base", "retry", Some("base")),
            Self::Cap => ("retry.cap", "retry", Some("cap")),
            Self::Jitter => ("retry.jitter", "retry", Some("jitter")),
            Self::Budget => ("retry.budget", "retry", Some("budget")),
            Self::RetryOn => ("retry.retry_on", "retry", Some("on")),
            Self::Timeout => ("timeout", "timeout", None),
            Self::RateLimit(Scope::Tool) => ("rate_limit.per_tool", "rate_limit", Some("per_tool")),
            Self::RateLimit(Scope::Tenant) => {
                ("rate_limit.per_tenant", "rate_limit", Some("per_tenant"))
            }
            Self::RateLimit(Scope::User) => ("rate_limit.per_user", "rate_limit", Some("per_user")),
            Self::RateLimit(Scope::Workflow) => {
                ("rate_limit.per_workflow", "rate_limit", Some("per_workflow"))
            }
            Self::Concurrency(Scope::Tool) => {
                ("concurrency.per_tool", "concurrency", Some("per_tool"))
            }
            Self::Concurrency(Scope::Tenant) => {
                ("concurrency.per_tenant", "concurrency", Some("per_tenant"))
            }
            Self::Concurrency(Scope::User) => {
                ("concurrency.per_user", "concurrency", Some("per_user"))
            }
            Self::Concurrency(Scope::Workflow) => {
                ("concurrency.per_workflow", "concurrency", Some("per_workflow"))
            }
            Self::BreakerFailures => ("breaker.failures", "breaker", Some("failures")),
            Self::BreakerCooldown => ("breaker.cooldown", "breaker", Some("cooldown")),
            Self::ConfirmationTtl => ("confirmation.ttl", "confirm", Some("ttl")),
            Self::Quorum => ("confirmation.quorum", "confirm", Some("quorum")),
            Self::RollbackStrategy => ("rollback.strategy", "rollback", None),
            Self::RollbackWith => ("rollback.with", "rollback", None),
            Self::ReconcileOnUnknown => ("reconcile_on_unknown", "reconcile", None),
            Self::ReconcileWith => ("reconcile.with", "reconcile", Some("with")),
            Self::Settle => ("reconcile.settle", "reconcile", Some("settle")),
            Self::Allow => ("allow", "allow", None),
            Self::Ignored => ("arguments.ignored", "", None),
            Self::Secret => ("arguments.secret", "", None),
            Self::ArgumentsSchema => ("arguments.schema", "", None),
            Self::OutputSchema => ("output.schema", "", None),
        }
    }
}
