//! What the server's settings do to the promise.

use std::fmt;

use super::settings::Settings;
use crate::ledger::LedgerError;

/// The oldest Redis that knows all that the scripts use.
const OLDEST: (u32, u32) = (6, 2);

/// What the caller has said may be weak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) eviction: bool,
    pub(super) weak_persistence: bool,
    pub(super) unchecked_persistence: bool,
}

/// What a [`RedisLedger`](super::RedisLedger) promises, as its server was set up
/// when it was opened. Displayed, it says so in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    persistence: Persistence,
    evicts: bool,
    replicas: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Persistence {
    /// Each answer waits for the disk.
    Always,
    /// Not while the file is rewritten.
    AlwaysButRewrites,
    /// Once a second.
    EverySecond,
    /// Whenever the operating system likes.
    Sometimes,
    /// At most in snapshots.
    None,
    /// The server does not say.
    Unchecked,
}

impl Durability {
    /// Whether what the ledger has answered survives a crash of the server and a
    /// loss of power. A failover may lose the newest all the same.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.persistence == Persistence::Always && !self.evicts
    }

    /// Of a server that nobody looked at.
    #[cfg(test)]
    pub(super) const fn none() -> Self {
        Self { persistence: Persistence::Unchecked, evicts: false, replicas: 0 }
    }

    /// Judges a server's settings.
    pub(super) fn judge(
        place: &str,
        settings: &Settings,
        allowed: Allowed,
    ) -> Result<Self, LedgerError> {
        let refuse = |why: String| Err(LedgerError::Unavailable(format!("Redis at {place} {why}")));
        if settings.version < OLDEST {
            let ((major, minor), (least, least_minor)) = (settings.version, OLDEST);
            return refuse(format!(
                "has version {major}.{minor}, and a ledger takes {least}.{least_minor} or later"
            ));
        }
        if settings.is_cluster {
            return refuse(
                "is part of a cluster, which this ledger does not speak to: give it a server of its own".into(),
            );
        }
        if settings.is_replica {
            return refuse(
                "is a replica: connect to an address that always leads to the master".into(),
            );
        }
        let durability = Self::of(settings);
        if durability.evicts && !allowed.eviction {
            return refuse(format!(
                "evicts keys when its memory is full (`maxmemory-policy {}`), and an operation that is evicted runs \
                 again: set `maxmemory-policy noeviction`, or open the ledger with `allow_eviction`",
                settings.policy
            ));
        }
        let is_allowed = match durability.persistence {
            Persistence::Always => true,
            Persistence::Unchecked => allowed.unchecked_persistence || allowed.weak_persistence,
            _ => allowed.weak_persistence,
        };
        if is_allowed {
            return Ok(durability);
        }
        if durability.persistence == Persistence::Unchecked {
            return refuse(
                "does not say when it syncs its append-only file (CONFIG is forbidden): find out that it is \
                 `appendfsync always`, and open the ledger with `allow_unchecked_persistence`"
                    .into(),
            );
        }
        refuse(format!(
            "does not keep what a ledger answers: {}; set `appendonly yes`, `appendfsync always` and \
             `no-appendfsync-on-rewrite no`, or open the ledger with `allow_weak_persistence`",
            durability.persistence
        ))
    }

    fn of(settings: &Settings) -> Self {
        let persistence = match &settings.fsync {
            _ if !settings.appendonly => Persistence::None,
            None => Persistence::Unchecked,
            Some(fsync) => match (&*fsync.policy, fsync.pauses) {
                ("always", false) => Persistence::Always,
                ("always", true) => Persistence::AlwaysButRewrites,
                ("everysec", _) => Persistence::EverySecond,
                _ => Persistence::Sometimes,
            },
        };
        // Nothing here expires, so that only a policy for all keys can take it.
        let evicts = settings.maxmemory > 0 && settings.policy.starts_with("allkeys");
        Self { persistence, evicts, replicas: settings.replicas }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "what it has answered survives a crash of the server and a loss of power",
            Self::AlwaysButRewrites => {
                "while it rewrites its append-only file it does not sync (`no-appendfsync-on-rewrite yes`), and a \
                 loss of power then loses up to 30 seconds of answers: each lost claim may run twice"
            }
            Self::EverySecond => {
                "a loss of power loses the answers of its last second or two (`appendfsync everysec`), and so may a \
                 crash of the server: each lost claim may run twice"
            }
            Self::Sometimes => {
                "a loss of power loses up to 30 seconds of answers (`appendfsync no`), and a crash of the server \
                 the newest: each lost claim may run twice"
            }
            Self::None => {
                "a restart of the server loses every answer since its last snapshot, or all (`appendonly no`): each \
                 lost claim may run twice"
            }
            Self::Unchecked => {
                "whether what it has answered survives a crash of the server could not be checked"
            }
        })
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.persistence.fmt(f)?;
        if self.evicts {
            f.write_str("; when its memory is full it evicts operations, which may run again")?;
        }
        match self.replicas {
            0 => f.write_str("; it has no replica"),
            replicas => write!(
                f,
                "; it answers before its {replicas} replica(s) know: a failover loses the newest answers"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Fsync;
    use super::*;

    fn good() -> Settings {
        Settings {
            version: (7, 0),
            is_cluster: false,
            is_replica: false,
            replicas: 0,
            maxmemory: 0,
            policy: "noeviction".to_owned(),
            appendonly: true,
            fsync: Some(Fsync { policy: "always".to_owned(), pauses: false }),
        }
    }

    fn fsync(policy: &str, pauses: bool) -> Settings {
        let fsync = Some(Fsync { policy: policy.to_owned(), pauses });
        Settings { fsync, ..good() }
    }

    fn judge(settings: &Settings, allowed: Allowed) -> Result<Durability, String> {
        Durability::judge("here", settings, allowed).map_err(|error| error.to_string())
    }

    fn is_refused(settings: &Settings, allowed: Allowed, words: &str) {
        let refused = judge(settings, allowed).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }

    const NOTHING: Allowed =
        Allowed { eviction: false, weak_persistence: false, unchecked_persistence: false };
    const EVICTION: Allowed = Allowed { eviction: true, ..NOTHING };
    const WEAK: Allowed = Allowed { weak_persistence: true, ..NOTHING };
    const UNCHECKED: Allowed = Allowed { unchecked_persistence: true, ..NOTHING };

    #[test]
    fn a_strict_server_is_taken() {
        let durability = judge(&good(), NOTHING).unwrap();
        assert!(durability.is_strict());
        assert!(durability.to_string().contains("survives a crash"), "{durability}");
        let replicated = judge(&Settings { replicas: 2, ..good() }, NOTHING).unwrap();
        assert!(replicated.to_string().contains("a failover loses"), "{replicated}");
    }

    #[test]
    fn a_server_that_evicts_is_refused_unless_told_otherwise() {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            let evicts = Settings { maxmemory: 1, policy: policy.to_owned(), ..good() };
            is_refused(&evicts, NOTHING, policy);
            is_refused(&evicts, WEAK, "allow_eviction");
            assert!(!judge(&evicts, EVICTION).unwrap().is_strict());
            // Without a bound nothing is evicted.
            assert!(judge(&Settings { maxmemory: 0, ..evicts }, NOTHING).unwrap().is_strict());
        }
        let volatile = Settings { maxmemory: 1, policy: "volatile-lru".to_owned(), ..good() };
        assert!(judge(&volatile, NOTHING).unwrap().is_strict());
    }

    #[test]
    fn weak_persistence_is_refused_unless_told_otherwise() {
        let weak = [
            (Settings { appendonly: false, ..good() }, "appendonly no"),
            (Settings { appendonly: false, fsync: None, ..good() }, "appendonly no"),
            (fsync("everysec", false), "last second"),
            (fsync("no", false), "appendfsync no"),
            (fsync("always", true), "no-appendfsync-on-rewrite"),
        ];
        for (settings, words) in &weak {
            is_refused(settings, NOTHING, words);
            is_refused(settings, UNCHECKED, words);
            is_refused(settings, EVICTION, "allow_weak_persistence");
            let durability = judge(settings, WEAK).unwrap();
            assert!(!durability.is_strict());
            assert!(durability.to_string().contains(words), "{durability}");
        }
    }

    #[test]
    fn what_cannot_be_checked_is_refused_unless_told_otherwise() {
        let silent = Settings { fsync: None, ..good() };
        is_refused(&silent, NOTHING, "allow_unchecked_persistence");
        for allowed in [UNCHECKED, WEAK] {
            let durability = judge(&silent, allowed).unwrap();
            assert!(!durability.is_strict());
            assert!(durability.to_string().contains("could not be checked"), "{durability}");
        }
    }

    #[test]
    fn what_cannot_hold_a_ledger_is_refused() {
        let all = Allowed { eviction: true, weak_persistence: true, unchecked_persistence: true };
        is_refused(&Settings { version: (6, 0), ..good() }, all, "6.2 or later");
        is_refused(&Settings { is_cluster: true, ..good() }, all, "cluster");
        is_refused(&Settings { is_replica: true, ..good() }, all, "replica");
        assert!(judge(&Settings { version: (6, 2), ..good() }, all).is_ok());
    }
}
