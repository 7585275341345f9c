//! What went wrong with the server, and what to do about it.

use ::redis::{ErrorKind, RedisError};

use crate::ledger::LedgerError;

/// Says what `error` means for the ledger at `place`.
pub(super) fn explain(place: &str, error: &RedisError) -> LedgerError {
    let code = error.code().unwrap_or_default();
    // A server's error within a script may keep its code in the text alone.
    let text = error.to_string();
    let is = |word: &str| code == word || text.contains(word);
    let hint = match error.kind() {
        ErrorKind::Io if error.is_timeout() => {
            "it did not answer in time: look whether it is busy, or the line is slow"
        }
        ErrorKind::Io => "look whether it runs, and whether this machine may reach it",
        ErrorKind::AuthenticationFailed => "check the user and the password in the address",
        ErrorKind::RESP3NotSupported => "Redis 6.2 or later is needed",
        _ if is("OOM") => {
            return LedgerError::Full(format!(
                "Redis at {place} has used up its `maxmemory`, and nothing was written: {text}; give it more memory"
            ));
        }
        _ if is("READONLY") => {
            "it is a replica, and nothing was written: connect to an address that always leads to the master"
        }
        _ if is("MISCONF") => {
            "it cannot save to its disk, and nothing was written: look into its log and free some space"
        }
        _ if is("NOREPLICAS") => {
            "it has fewer replicas than `min-replicas-to-write` wants, and nothing was written"
        }
        _ if is("LOADING") => "it is still loading its data; nothing was written",
        _ if is("BUSY") => "another script keeps it busy; nothing was written",
        _ if is("CLUSTERDOWN") || is("MASTERDOWN") => {
            "a part of it is down, and nothing was written"
        }
        _ if is("MOVED") || is("ASK ") || is("CROSSSLOT") => {
            "it is part of a cluster, which this ledger does not speak to: give it a server of its own"
        }
        _ if is("NOAUTH") || is("WRONGPASS") => "check the user and the password in the address",
        _ if is("NOPERM") => {
            "this user may not do what a ledger does: it takes EVALSHA, SCRIPT LOAD and SUBSCRIBE on the keys and \
             channels of its prefix"
        }
        _ if is("WRONGTYPE") => {
            return LedgerError::Corrupt(format!(
                "Redis at {place} holds under the ledger's prefix what no ledger wrote: {text}; give the ledger a \
                 prefix of its own"
            ));
        }
        _ => "whether it was done is not known",
    };
    LedgerError::Unavailable(format!("Redis at {place}: {text}; {hint}"))
}

/// What was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The ledger as a whole is not what it was.
    Ledger,
    /// All that was known of a tool is gone.
    Gone,
    /// The tool was begun anew.
    Other,
    /// The newest steps on a tool are gone.
    Steps,
    /// An operation is gone.
    Record,
}

impl Loss {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("ledger", Self::Ledger),
        ("gone", Self::Gone),
        ("other", Self::Other),
        ("steps", Self::Steps),
        ("record", Self::Record),
    ];

    /// Says what was lost at `place`, and what to do.
    pub(super) fn explain(self, place: &str, tool: &str) -> LedgerError {
        let what = match self {
            Self::Ledger => "the data that this ledger had when it was opened are gone".to_owned(),
            Self::Gone => format!("all that it knew of `{tool}` is gone"),
            Self::Other => format!("what it knew of `{tool}` is gone, and somebody has begun anew"),
            Self::Steps => format!("it has forgotten its newest answers about `{tool}`"),
            Self::Record => format!("an operation of `{tool}` is in its index and has no record"),
        };
        LedgerError::Lost(format!(
            "Redis at {place} has lost its data: {what}; nothing was executed. It was flushed, has evicted, or a \
             replica without these data took over. Find out what ran, restore the data if you can, and open the \
             ledger again"
        ))
    }
}
