//! Ledgers, and how somebody with a shell writes into them.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tempfile::TempDir;
use tool_contract_servers::{Postgres, Redis};

pub(crate) enum Place {
    /// It can be written only by its own process.
    Memory,
    Sqlite(TempDir),
    Postgres(Postgres),
    Redis(Redis),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub(crate) fn postgres() -> Option<Self> {
        Postgres::start().map(Self::Postgres)
    }

    pub(crate) fn redis() -> Option<Self> {
        Redis::start().map(Self::Redis)
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Memory => "memory".to_owned(),
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("ledger.db").display()),
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }

    /// Rewrites the request for approval on record, and the state; says whether it
    /// could.
    pub(crate) fn rewrite(&self, key: &str, state: &str, change: impl FnOnce(&mut Value)) -> bool {
        match self {
            Self::Memory => return false,
            Self::Sqlite(folder) => {
                let db = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
                let read = "SELECT approval FROM operations WHERE key = ?";
                let text: Option<String> = db.query_row(read, [key], |row| row.get(0)).unwrap();
                let mut approval = serde_json::from_str(text.as_deref().unwrap_or("null")).unwrap();
                change(&mut approval);
                let write = "UPDATE operations SET approval = ?, state = ? WHERE key = ?";
                db.execute(write, [&approval.to_string(), state, key]).unwrap();
            }
            Self::Postgres(server) => {
                let text = server.psql(&format!(
                    "SELECT record FROM tool_contract.operations WHERE key = '{key}'"
                ));
                let record = changed(&text, state, change);
                server.psql(&format!(
                    "UPDATE tool_contract.operations SET record = $r${record}$r$, state = '{state}' \
                     WHERE key = '{key}'"
                ));
            }
            Self::Redis(server) => {
                let (pattern, find) = (format!("*:op:*{key}"), "redis.call('KEYS', ARGV[1])[1]");
                let read = format!("return redis.call('HGET', {find}, 'record')");
                let text = server.ask(&["EVAL", &read, "0", &pattern]);
                let record = changed(&text, state, change);
                let write = format!("return redis.call('HSET', {find}, 'record', ARGV[2])");
                assert_eq!(server.ask(&["EVAL", &write, "0", &pattern, &record]), ":0");
            }
        }
        true
    }
}

/// The other fields stay as they are written: some hold more than a number can.
fn changed(record: &str, state: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut record: BTreeMap<String, Box<RawValue>> = serde_json::from_str(record).unwrap();
    let mut approval = serde_json::from_str(record["approval"].get()).unwrap();
    change(&mut approval);
    record.insert("approval".to_owned(), to_raw_value(&approval).unwrap());
    record.insert("state".to_owned(), to_raw_value(state).unwrap());
    serde_json::to_string(&record).unwrap()
}
