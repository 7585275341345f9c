//! The keys that may stand in `#[tool(..)]`, each with what to write.
//!
//! A new key is a line here and a line in `attribute::read`.

use super::keys::Known;

/// The keys of the attribute itself.
pub(super) const KEYS: &[Known] = &[
    Known { name: "side_effect", example: "side_effect = \"write\"" },
    Known { name: "idempotent", example: "idempotent" },
    Known { name: "retry", example: "retry(max = 3, on = \"retryable\")" },
    Known { name: "timeout", example: "timeout = \"30s\"" },
    Known { name: "ttl", example: "ttl = \"24h\"" },
    Known { name: "rollback", example: "rollback = \"path::to::function\"" },
    Known { name: "reconcile", example: "reconcile = \"path::to::function\"" },
    Known { name: "confirm", example: "confirm(by = \"human\")" },
    Known { name: "rate_limit", example: "rate_limit(per_tool = \"100/s\")" },
    Known { name: "concurrency", example: "concurrency(per_user = 1)" },
    Known { name: "breaker", example: "breaker(failures = 5, cooldown = \"30s\")" },
    Known { name: "in_flight", example: "in_flight = \"wait\"" },
    Known { name: "remint", example: "remint = \"warn\"" },
    Known { name: "state", example: "state(Type)" },
    Known { name: "allow", example: "allow(TC0105)" },
    Known { name: "name", example: "name = \"tool_name\"" },
    Known { name: "args", example: "args = \"TypeName\"" },
    Known { name: "version", example: "version = 2" },
    Known { name: "crate", example: "crate = path::to::tool_contract" },
];

/// The keys of `#[saga(..)]`: what else a tool declares is the same for every saga.
pub(super) const SAGA: &[Known] = &[
    Known { name: "timeout", example: "timeout = \"10m\"" },
    Known { name: "ttl", example: "ttl = \"30d\"" },
    Known { name: "rate_limit", example: "rate_limit(per_tenant = \"20/min\")" },
    Known { name: "concurrency", example: "concurrency(per_user = 1)" },
    Known { name: "breaker", example: "breaker(failures = 5, cooldown = \"30s\")" },
    Known { name: "in_flight", example: "in_flight = \"wait\"" },
    Known { name: "state", example: "state(Type)" },
    Known { name: "allow", example: "allow(TC0105)" },
    Known { name: "name", example: "name = \"saga_name\"" },
    Known { name: "args", example: "args = \"TypeName\"" },
    Known { name: "version", example: "version = 2" },
    Known { name: "crate", example: "crate = path::to::tool_contract" },
];

/// Those of `idempotent(..)`.
pub(super) const IDEMPOTENT: &[Known] = &[
    Known { name: "key", example: "key = \"{argument}\"" },
    Known { name: "by", example: "by = \"downstream\"" },
];

/// Those of `retry(..)`.
pub(super) const RETRY: &[Known] = &[
    Known { name: "max", example: "max = 3" },
    Known { name: "on", example: "on = \"retryable\"" },
    Known { name: "backoff", example: "backoff = \"exponential\"" },
    Known { name: "base", example: "base = \"200ms\"" },
    Known { name: "cap", example: "cap = \"10s\"" },
    Known { name: "jitter", example: "jitter = \"full\"" },
    Known { name: "budget", example: "budget = \"60s\"" },
    Known { name: "max_total", example: "max_total = 10" },
];

/// Those of `ttl(..)`.
pub(super) const TTL: &[Known] = &[
    Known { name: "window", example: "window = \"30d\"" },
    Known { name: "sliding", example: "sliding" },
];

/// Those of `reconcile(..)`.
pub(super) const RECONCILE: &[Known] = &[
    Known { name: "with", example: "with = \"path::to::function\"" },
    Known { name: "settle", example: "settle = \"10s\"" },
];

/// Those of `confirm(..)`.
pub(super) const CONFIRM: &[Known] = &[
    Known { name: "by", example: "by = \"human\"" },
    Known { name: "ttl", example: "ttl = \"15m\"" },
    Known { name: "quorum", example: "quorum = 1" },
];

/// Those of `rate_limit(..)`.
pub(super) const RATE_LIMIT: &[Known] = &[
    Known { name: "per_tool", example: "per_tool = \"100/s\"" },
    Known { name: "per_tenant", example: "per_tenant = \"20/min\"" },
    Known { name: "per_user", example: "per_user = \"10/h\"" },
    Known { name: "per_workflow", example: "per_workflow = \"50\"" },
];

/// Those of `concurrency(..)`.
pub(super) const CONCURRENCY: &[Known] = &[
    Known { name: "per_tool", example: "per_tool = 4" },
    Known { name: "per_tenant", example: "per_tenant = 2" },
    Known { name: "per_user", example: "per_user = 1" },
    Known { name: "per_workflow", example: "per_workflow = 1" },
];

/// Those of `breaker(..)`.
pub(super) const BREAKER: &[Known] = &[
    Known { name: "failures", example: "failures = 5" },
    Known { name: "cooldown", example: "cooldown = \"30s\"" },
];
