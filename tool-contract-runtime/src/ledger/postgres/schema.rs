//! What the schema looks like, and how it came to look so.

use deadpool_postgres::Object;
use tokio_postgres::types::Type;

use super::fault;
use super::link::Link;
use crate::ledger::LedgerError;

/// The steps from an empty schema to the current one. Step `n` leads to schema
/// version `n + 1`; a step that was released is never changed.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];
const NEWEST: i32 = 1;

/// The oldest server that has all that is used: generated columns.
const OLDEST_SERVER: i32 = 120_000;

/// Writes `statement` for the schema `name`: in files it is `tool_contract`.
pub(super) fn within(name: &str, statement: &str) -> String {
    statement
        .replace("tool_contract.", &format!("\"{name}\"."))
        .replace("'tool_contract'", &format!("'{name}'"))
}

/// Whether `name` may be put into statements.
pub(super) fn check_name(name: &str) -> Result<(), LedgerError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_good = (1..=63).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("pg_");
    if is_good {
        return Ok(());
    }
    Err(LedgerError::Unavailable(format!(
        "`{name}` is no name for the schema of a ledger; use 1 to 63 lower-case letters, digits and \
         underscores, beginning with neither a digit nor `pg_`"
    )))
}

/// Makes the schema, unless it must exist, or brings it up to date, or finds that
/// it is.
pub(super) async fn open(link: &Link, name: &str, must_exist: bool) -> Result<(), LedgerError> {
    check_name(name)?;
    let place = Place { link, name };
    place.check_server().await?;
    let version = place.version().await?.unwrap_or(0);
    if version == NEWEST {
        return Ok(());
    }
    if version == 0 && must_exist {
        return Err(LedgerError::Unavailable(format!(
            "there is no ledger in the schema `{name}` of {}; nothing was made there",
            link.target
        )));
    }
    let connection = link.connection_now().await?;
    place.migrate(connection).await
}

struct Place<'a> {
    link: &'a Link,
    name: &'a str,
}

impl Place<'_> {
    /// Refuses a server on which the ledger would be wrong.
    async fn check_server(&self) -> Result<(), LedgerError> {
        let settings = "SELECT current_setting('server_version_num')::int4, \
            current_setting('server_encoding'), current_setting('default_transaction_isolation'), \
            current_setting('fsync')";
        let connection = self.link.connection_now().await?;
        let rows = self.link.ask_on(connection, settings, &[]).await?;
        let row = rows.first().ok_or_else(|| self.foreign("it answers nothing"))?;
        let text = |column| row.try_get::<_, &str>(column).unwrap_or("?");
        let server: i32 = row.try_get(0).unwrap_or(0);
        let problem = if server < OLDEST_SERVER {
            "the server is older than PostgreSQL 12".to_owned()
        } else if text(1) != "UTF8" {
            format!("its encoding is {}; a ledger needs one in UTF8", text(1))
        } else if text(2) != "read committed" {
            format!(
                "its transactions are {} by default; for the ledger's role make them `read committed`: \
                 ALTER ROLE .. SET default_transaction_isolation = 'read committed'",
                text(2).to_uppercase()
            )
        } else {
            return Ok(());
        };
        Err(LedgerError::Unavailable(format!("{}: {problem}", self.link.target)))
    }

    /// The version of the schema; `None` if there is none.
    async fn version(&self) -> Result<Option<i32>, LedgerError> {
        let connection = self.link.connection_now().await?;
        let found = "SELECT to_regclass($1) IS NOT NULL";
        let table = format!("\"{}\".meta", self.name);
        let rows = self.link.ask_on(connection, found, &[(&table, Type::TEXT)]).await?;
        if !rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)) {
            return Ok(None);
        }
        let connection = self.link.connection_now().await?;
        let version = within(self.name, "SELECT schema_version FROM tool_contract.meta");
        let rows = self.link.ask_on(connection, &version, &[]).await?;
        let version = rows.first().and_then(|row| row.try_get::<_, i32>(0).ok());
        self.known(version.ok_or_else(|| self.foreign("its table `meta` is not a ledger's"))?)
            .map(Some)
    }

    fn known(&self, version: i32) -> Result<i32, LedgerError> {
        if (0..=NEWEST).contains(&version) {
            return Ok(version);
        }
        Err(self.foreign(&format!(
            "it has schema version {version}, and this version of tool-contract knows up to \
             {NEWEST}; use a newer one"
        )))
    }

    fn foreign(&self, problem: &str) -> LedgerError {
        LedgerError::Corrupt(format!("schema `{}` of {}: {problem}", self.name, self.link.target))
    }

    /// Takes the steps that are missing, in one transaction. Others who do the
    /// same wait, and then find it done.
    async fn migrate(&self, mut connection: Object) -> Result<(), LedgerError> {
        let failed = |error: tokio_postgres::Error| self.unmade(&error);
        let steps = connection.transaction().await.map_err(failed)?;
        let turn =
            format!("SELECT pg_advisory_xact_lock(hashtextextended('{} schema', 0))", self.name);
        steps.batch_execute(&turn).await.map_err(failed)?;
        let exists = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{}'", self.name);
        if steps.query_typed(&exists, &[]).await.map_err(failed)?.is_empty() {
            let create = format!("CREATE SCHEMA \"{}\"", self.name);
            steps.batch_execute(&create).await.map_err(failed)?;
        }
        let found = format!("SELECT to_regclass('\"{}\".meta') IS NOT NULL", self.name);
        let rows = steps.query_typed(&found, &[]).await.map_err(failed)?;
        let mut version = 0;
        if rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)) {
            let select = within(self.name, "SELECT schema_version FROM tool_contract.meta");
            let rows = steps.query_typed(&select, &[]).await.map_err(failed)?;
            let found = rows.first().and_then(|row| row.try_get(0).ok());
            version = self.known(found.unwrap_or(-1))?;
        }
        for (reached, sql) in (1..).zip(MIGRATIONS) {
            if reached > version {
                let set = format!("UPDATE tool_contract.meta SET schema_version = {reached}");
                let step = within(self.name, &format!("{sql}; {set}"));
                steps.batch_execute(&step).await.map_err(failed)?;
            }
        }
        steps.commit().await.map_err(failed)
    }

    fn unmade(&self, error: &tokio_postgres::Error) -> LedgerError {
        LedgerError::Unavailable(format!(
            "schema `{name}` of {place} cannot be made or brought up to date: {told}. A role that may \
             make it has to open the ledger once; others need USAGE on the schema, and SELECT, INSERT, \
             UPDATE and DELETE on its tables",
            name = self.name,
            place = self.link.target,
            told = fault::told(error),
        ))
    }
}
