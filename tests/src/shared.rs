//! What the kill tests of shared ledgers and the workers that they kill both
//! know: a ledger by its address, and the world outside.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tool_contract::ledger::{
    Ledger, LedgerError, MemoryLedger, PostgresLedger, RedisLedger, SqliteLedger,
};

/// How long a claim of a worker holds: short, so that what a killed one held is
/// found out soon.
pub const LEASE: Duration = Duration::from_secs(2);

/// The key of a call.
pub fn key(number: u64) -> String {
    format!("order-{number}")
}

/// Opens the ledger at an address: `sqlite:<path>`, the URL of a server, or
/// `memory` for one that no other process knows of.
pub async fn open(address: &str) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(match address.split_once(':') {
        Some(("sqlite", path)) => Arc::new(SqliteLedger::open(path).await?),
        // Few connections: each costs the server a process, and workers die young.
        Some(("postgres", _)) => {
            Arc::new(PostgresLedger::options().pool(4).connect(address).await?)
        }
        Some(_) => Arc::new(RedisLedger::connect(address).await?),
        None => Arc::new(MemoryLedger::new()),
    })
}

/// The world outside: for each tool a file to which each act is appended,
/// durably. What dedupes on the key applies the first act under each.
#[derive(Debug, Clone)]
pub struct World {
    folder: PathBuf,
}

impl World {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub fn act(&self, tool: &str, number: u64, key: &str) -> io::Result<()> {
        let mut acts = OpenOptions::new().create(true).append(true).open(self.file(tool))?;
        // In one piece, which is written whole or not at all.
        acts.write_all(format!("{number} {key}\n").as_bytes())?;
        acts.sync_data()
    }

    /// All acts of a tool, in order: the number and the key that it was given.
    pub fn acts(&self, tool: &str) -> io::Result<Vec<(u64, String)>> {
        let acts = match std::fs::read_to_string(self.file(tool)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            acts => acts?,
        };
        let parse = |line: &str| {
            let (number, key) = line.split_once(' ')?;
            Some((number.parse().ok()?, key.to_owned()))
        };
        let parsed = acts.lines().map(|line| parse(line).ok_or_else(|| malformed(line)));
        parsed.collect()
    }

    fn file(&self, tool: &str) -> PathBuf {
        self.folder.join(tool)
    }
}

fn malformed(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no act: {line:?}"))
}
