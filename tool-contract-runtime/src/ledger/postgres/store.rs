//! The store: steps are sent in batches, the rest by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::types::Type;
use tool_contract_spec::key::OperationId;

use super::batch::Batches;
use super::link::{Link, Value};
use super::listener::Listener;
use super::options::PostgresOptions;
use super::request::{Request, fnv, name};
use super::schema::{self, within};
use super::target::Target;
use super::wire;
use crate::clock::Clock;
use crate::ledger::shared::{Exchange, Exchanged, Store};
use crate::ledger::waiting::Waiting;
use crate::ledger::{
    Answer, BoxFuture, Draw, Event, Fence, LedgerError, Limited, Query, Record, StateName,
};

/// How soon to look whether an operation came to rest, where nobody tells; then
/// twice as long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How often to look though somebody should tell.
const SELDOM: Duration = Duration::from_secs(1);

/// A schema in a PostgreSQL database.
pub(crate) struct PostgresStore {
    schema: String,
    clock: Arc<dyn Clock>,
    pub(super) link: Arc<Link>,
    batches: Batches,
    waiting: Arc<Waiting>,
    pub(super) listener: Listener,
}

impl PostgresStore {
    pub(super) async fn connect(options: PostgresOptions, url: &str) -> Result<Self, LedgerError> {
        let link = Arc::new(Link::new(Target::parse(url, &options)?, &options)?);
        schema::open(&link, &options.schema, options.must_exist).await?;
        let waiting = Arc::new(Waiting::default());
        let batches = Batches::start(&link, &options);
        let listener = Listener::new(&link, &options.schema, &waiting);
        let PostgresOptions { schema, clock, .. } = options;
        Ok(Self { schema, clock, link, batches, waiting, listener })
    }

    /// How an operation stands, and a promise to be told when it comes to rest.
    async fn await_rest(
        &self,
        id: &OperationId,
        bell: &str,
    ) -> Result<Option<Glance>, LedgerError> {
        let statement = within(&self.schema, "SELECT * FROM tool_contract.await($1, $2, $3, $4)");
        let (tenant, tool, key) = name(id);
        let values: [Value<'_>; 4] =
            [(&tenant, Type::TEXT), (&tool, Type::TEXT), (&key, Type::TEXT), (&bell, Type::TEXT)];
        let rows = self.link.ask_alone(&statement, &values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let state: &str = wire::get(row, "state")?;
        let is_moving =
            StateName::ALL.iter().any(|name| name.is_moving() && name.as_str() == state);
        Ok(Some(Glance { is_moving, state: state.to_owned(), fence: wire::number(row, "fence")? }))
    }

    /// Drops the cells that say no more than new ones would. One that is being
    /// drawn from is left alone.
    async fn drop_idle_cells(&self) -> Result<(), LedgerError> {
        let statement = within(
            &self.schema,
            "DELETE FROM tool_contract.cells WHERE ctid = ANY (ARRAY (\
             SELECT ctid FROM tool_contract.cells \
             WHERE used = 0 AND arrival <= tool_contract.now_ms() * 1000000 \
             FOR UPDATE SKIP LOCKED))",
        );
        self.link.ask_alone(&statement, &[]).await.map(drop)
    }

    async fn await_change(&self, id: &OperationId) {
        let bell = bell(id);
        let mut ring = self.waiting.listen(bell.as_str());
        let hears = self.listener.hears().await;
        let first = match self.await_rest(id, &bell).await {
            Ok(Some(glance)) if glance.is_moving => glance,
            _ => return,
        };
        let mut pause = if hears { SELDOM } else { FIRST_PAUSE };
        loop {
            tokio::select! {
                () = &mut ring => return,
                () = self.clock.alarm(pause) => {}
            }
            if self.await_rest(id, &bell).await.ok().flatten().as_ref() != Some(&first) {
                return;
            }
            pause = if hears { SELDOM } else { LONGEST_PAUSE.min(pause * 2) };
        }
    }
}

/// Enough of a record to see that it changed.
#[derive(PartialEq, Eq)]
struct Glance {
    is_moving: bool,
    state: String,
    fence: u64,
}

/// The name by which to be told of an operation: a hash, for anybody may listen.
fn bell(id: &OperationId) -> String {
    let (tenant, tool, key) = name(id);
    format!("{:016x}", fnv([tenant, tool, key].map(str::as_bytes)))
}

/// Refuses the one character that a text of PostgreSQL cannot hold.
fn storable(text: &str) -> Result<(), LedgerError> {
    if !text.contains('\0') {
        return Ok(());
    }
    Err(LedgerError::Unavailable(format!(
        "{text:?} has a character zero, which PostgreSQL cannot store in a name; nothing was sent"
    )))
}

impl Store for PostgresStore {
    fn exchange(&self, exchange: Exchange) -> Answer<'_, Exchanged> {
        Box::pin(async move {
            storable(&exchange.id.tool)?;
            let row = self.batches.ask(Request::exchange(&exchange)?).await?;
            let draws = exchange.put.as_ref().map_or(&[][..], |put| &put.draws);
            let exchanged = wire::exchanged(&row, draws)?;
            if matches!(exchanged, Exchanged::Put { .. }) && self.waiting.is_listened_to() {
                self.waiting.wake(bell(&exchange.id).as_str());
            }
            Ok(exchanged)
        })
    }

    fn reserve_fences(&self, count: u64) -> Answer<'_, Fence> {
        Box::pin(async move {
            let statement =
                within(&self.schema, "SELECT tool_contract.reserve_fences($1) AS first");
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let rows = self.link.ask_alone(&statement, &[(&count, Type::INT8)]).await?;
            let row = rows.first().ok_or_else(|| {
                LedgerError::Corrupt(format!("{} reserved no fences", self.link.target))
            })?;
            Ok(Fence(wire::number(row, "first")?))
        })
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        Box::pin(async move {
            if draws.is_empty() {
                return Ok(Ok(()));
            }
            let row = self.batches.ask(Request::draw(&draws)?).await?;
            wire::drawn(&row, &draws)
        })
    }

    fn over(&self, most: usize) -> Answer<'_, Vec<OperationId>> {
        Box::pin(async move {
            self.drop_idle_cells().await?;
            // It reads the whole table: an index would cost every call.
            let statement = within(
                &self.schema,
                "SELECT tenant, tool, key FROM tool_contract.operations \
                 WHERE expires_at <= tool_contract.now_ms() OR (state = 'expired' AND NOT archived) \
                 LIMIT $1",
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = self.link.ask_alone(&statement, &[(&most, Type::INT8)]).await?;
            rows.iter().map(wire::id).collect()
        })
    }

    fn archive(&self, id: OperationId) -> Answer<'_, ()> {
        Box::pin(async move {
            let statement = within(&self.schema, "SELECT tool_contract.archive($1, $2, $3)");
            let (tenant, tool, key) = name(&id);
            let values: [Value<'_>; 3] =
                [(&tenant, Type::TEXT), (&tool, Type::TEXT), (&key, Type::TEXT)];
            self.link.ask_alone(&statement, &values).await.map(drop)
        })
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let statement = "WITH named AS (SELECT id, history FROM tool_contract.operations \
                    WHERE tenant = $1 AND tool = $2 AND key = $3) \
                 SELECT event FROM tool_contract.archived_events \
                    WHERE operation = (SELECT id FROM named) \
                 UNION ALL SELECT unnest(history) FROM named \
                 UNION ALL SELECT event FROM tool_contract.events \
                    WHERE operation = (SELECT id FROM named)";
            let (tenant, tool, key) = name(&id);
            storable(tool)?;
            let values: [Value<'_>; 3] =
                [(&tenant, Type::TEXT), (&tool, Type::TEXT), (&key, Type::TEXT)];
            let rows = self.link.ask_alone(&within(&self.schema, statement), &values).await?;
            let events = rows.iter().map(wire::event).collect::<Result<Vec<_>, _>>();
            events.map(|mut events| {
                events.sort_unstable_by_key(|event: &Event| event.seq);
                events
            })
        })
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        Box::pin(async move {
            let listing = Listing::of(&query);
            let statement = within(&self.schema, &listing.statement());
            let values: Vec<Value<'_>> =
                listing.values.iter().map(|value| (value as _, Type::TEXT)).collect();
            let rows = self.link.ask_alone(&statement, &values).await?;
            rows.iter().map(wire::listed).collect()
        })
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            tokio::select! {
                () = self.await_change(&id) => {}
                () = self.clock.alarm(within) => {}
            }
        })
    }
}

/// A statement that lists, in the making.
struct Listing<'a> {
    conditions: Vec<String>,
    values: Vec<&'a str>,
    bound: usize,
}

impl<'a> Listing<'a> {
    fn of(query: &'a Query) -> Self {
        let mut listing =
            Self { conditions: vec!["true".into()], values: Vec::new(), bound: query.bound() };
        if let Some(tenant) = &query.tenant {
            listing.demand("tenant = $", &[tenant.as_str()]);
        }
        if let Some(tool) = &query.tool {
            listing.demand("tool = $", &[tool]);
        }
        if let Some(states) = query.states() {
            let standing: Vec<_> = states.into_iter().map(standing).collect();
            let any = if standing.is_empty() { "false".into() } else { standing.join(" OR ") };
            listing.conditions.push(format!("({any})"));
        }
        if let Some(after) = &query.after {
            let (tenant, tool, key) = name(after);
            listing.demand("(tenant, tool, key) > ($, $, $)", &[tenant, tool, key]);
        }
        listing
    }

    /// Adds a condition; each `$` in it stands for a value.
    fn demand(&mut self, condition: &str, values: &[&'a str]) {
        let mut parts = condition.split('$');
        let mut numbered = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            self.values.push(value);
            numbered = format!("{numbered}${}{part}", self.values.len());
        }
        self.conditions.push(numbered);
    }

    fn statement(&self) -> String {
        format!(
            "SELECT tenant, tool, key, record FROM tool_contract.operations WHERE {} \
             ORDER BY tenant, tool, key LIMIT {}",
            self.conditions.join(" AND "),
            self.bound
        )
    }
}

/// What is true of the rows in a state now. No index serves what runs, for every
/// call would pay for it: the table is read.
///
/// It says what `Record::is_overdue` says.
fn standing(state: StateName) -> String {
    match state {
        StateName::Running | StateName::Reconciling => {
            format!("state = '{state}' AND NOT {IS_OVERDUE}")
        }
        StateName::Unknown => {
            let overdue = [StateName::Running, StateName::Reconciling]
                .map(|state| format!("state = '{state}' AND {IS_OVERDUE}"));
            format!("(of_note = '{state}' OR {})", overdue.join(" OR "))
        }
        StateName::AwaitingApproval
        | StateName::Approved
        | StateName::Denied
        | StateName::Exhausted
        | StateName::Abandoned => {
            // The column says the same as `state`, and has an index.
            format!("of_note = '{state}'")
        }
        state => format!("state = '{state}'"),
    }
}

/// Whether the lease of a row that somebody is at ran out. The record is not read as
/// JSON, for what PostgreSQL makes of that has no room for the character zero. In a
/// text within it the quotes would be escaped.
const IS_OVERDUE: &str =
    r#"substring(record FROM '"lease_until":([0-9]+)')::bigint <= tool_contract.now_ms()"#;

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLedger")
            .field("target", &format_args!("{}", self.link.target))
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
