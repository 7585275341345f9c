//! Where workers share a ledger, and how it is killed.

use tempfile::TempDir;
use tool_contract_servers::{Postgres, Redis};

pub(crate) enum Place {
    Sqlite(TempDir),
    Redis(Redis),
    Postgres(Postgres),
    /// Nothing is shared.
    Memory,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub(crate) fn redis() -> Option<Self> {
        Redis::start().map(Self::Redis)
    }

    pub(crate) fn postgres() -> Option<Self> {
        Postgres::start().map(Self::Postgres)
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Redis(_) => "Redis",
            Self::Postgres(_) => "PostgreSQL",
            Self::Memory => "memory",
        }
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("ledger.db").display()),
            Self::Redis(server) => server.url(),
            Self::Postgres(server) => server.url(),
            Self::Memory => "memory".to_owned(),
        }
    }

    /// Whether there is a server that can be killed.
    pub(crate) const fn has_server(&self) -> bool {
        matches!(self, Self::Redis(_) | Self::Postgres(_))
    }

    /// Kills (SIGKILL) the server, and starts it again.
    pub(crate) fn kill_server(&mut self) {
        match self {
            Self::Sqlite(_) | Self::Memory => {}
            Self::Redis(server) => {
                server.kill9();
                server.restart();
            }
            Self::Postgres(server) => {
                server.kill9();
                server.restart();
            }
        }
    }

    /// Whether a process is in the middle of a transaction that writes. Of SQLite
    /// the kernel knows: it is who has locked byte 120 of the log's index.
    pub(crate) fn is_writing(&self, process: u32) -> bool {
        if !matches!(self, Self::Sqlite(_)) {
            return false;
        }
        let (locks, process) =
            (std::fs::read_to_string("/proc/locks").unwrap_or_default(), process.to_string());
        locks.lines().any(|lock| {
            let fields: Vec<_> = lock.split_whitespace().collect();
            matches!(&*fields, [_, "POSIX", _, "WRITE", owner, _, "120", "120"] if *owner == process)
        })
    }
}
