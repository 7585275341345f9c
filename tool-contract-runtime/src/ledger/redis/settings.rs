//! How the server is set up, read once when the ledger is opened.

use std::collections::HashMap;

use ::redis::{InfoDict, cmd};

use super::line::Line;
use crate::ledger::LedgerError;

/// How the server is set up, as far as the promise depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The major and the minor version of Redis that it is, or stands for.
    pub(super) version: (u32, u32),
    pub(super) is_cluster: bool,
    pub(super) is_replica: bool,
    pub(super) replicas: u64,
    /// In bytes; 0 stands for no bound.
    pub(super) maxmemory: u64,
    pub(super) policy: String,
    pub(super) appendonly: bool,
    /// `None` where the server does not say.
    pub(super) fsync: Option<Fsync>,
}

/// When the append-only file is synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fsync {
    /// `appendfsync`: always, everysec or no.
    pub(super) policy: String,
    /// `no-appendfsync-on-rewrite`: not while the file is rewritten.
    pub(super) pauses: bool,
}

impl Settings {
    /// Asks the server.
    pub(super) async fn read(line: &Line) -> Result<Self, LedgerError> {
        let info: InfoDict = line.ask(&cmd("INFO")).await?;
        let word = |name: &str| info.get::<String>(name).unwrap_or_default();
        let number = |name: &str| word(name).parse().unwrap_or(0);
        let version = word("redis_version");
        let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
        Ok(Self {
            version: (parts.next().unwrap_or(0), parts.next().unwrap_or(0)),
            is_cluster: word("redis_mode") == "cluster" || word("cluster_enabled") == "1",
            is_replica: word("role") == "slave" || word("role") == "replica",
            replicas: number("connected_slaves"),
            maxmemory: number("maxmemory"),
            policy: word("maxmemory_policy"),
            appendonly: word("aof_enabled") == "1",
            fsync: Fsync::read(line).await?,
        })
    }
}

impl Fsync {
    async fn read(line: &Line) -> Result<Option<Self>, LedgerError> {
        let mut command = cmd("CONFIG");
        command.arg("GET").arg("*append*");
        let said: Option<HashMap<String, String>> = line.ask_whether(&command).await?;
        Ok(said.and_then(|said| {
            let policy = said.get("appendfsync")?.clone();
            let pauses = said.get("no-appendfsync-on-rewrite").is_some_and(|set| set == "yes");
            Some(Self { policy, pauses })
        }))
    }
}
