//! What the function `exchange` takes: a column for each of its parameters, with
//! a row for each request.

use std::iter;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::Type;
use tool_contract_spec::key::{OperationId, Tenant};
use tool_contract_spec::ledger::Pace;
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::Quota;

use super::link::Value;
use super::options::PostgresOptions;
use crate::ledger::shared::{Exchange, Put, Twins};
use crate::ledger::{Draw, Hold, LedgerError, Slot, State, Timestamp, Twin};

/// How many events of a history stand in the operation's row: as many as most
/// calls ever have.
const IN_ROW: u32 = 8;

/// A step on one operation; without an operation, draws alone.
pub(super) struct Request {
    id: Option<OperationId>,
    look: Option<OperationHash>,
    /// The number of the intent that it is about.
    intent: Option<i64>,
    put: Option<Written>,
    draws: Vec<Move>,
    /// Where to keep others out, as [`place`] names it.
    places: Vec<i64>,
}

/// What is to be written.
struct Written {
    expected: i64,
    seen: Option<String>,
    at: i64,
    record: String,
    state: &'static str,
    hash: OperationHash,
    fence: i64,
    changed_at: i64,
    expires_at: Option<i64>,
    /// Of the first event.
    seq: i32,
    /// How many events go into the row.
    in_row: usize,
    events: Vec<String>,
}

impl Request {
    /// A step on one operation.
    pub(super) fn exchange(exchange: &Exchange) -> Result<Self, LedgerError> {
        let (id, put) = (&exchange.id, exchange.put.as_ref());
        let draws = put.map(Move::all).transpose()?.unwrap_or_default();
        let twins = put.and_then(|put| put.twins.as_ref());
        let mut places: Vec<_> = draws.iter().map(Move::place).collect();
        let intent = put.map(|put| put.record.hash).or(exchange.hash).map(|hash| intent(id, &hash));
        places.extend(twins.and(intent));
        let put = put.map(Written::of).transpose()?;
        Ok(Self { id: Some(id.clone()), look: exchange.hash, intent, put, draws, places })
    }

    /// Draws without an operation.
    pub(super) fn draw(draws: &[Draw]) -> Result<Self, LedgerError> {
        let draws =
            draws.iter().map(|draw| Move::draw(draw, None)).collect::<Result<Vec<_>, _>>()?;
        let places = draws.iter().map(Move::place).collect();
        Ok(Self { id: None, look: None, intent: None, put: None, draws, places })
    }

    /// The order in which requests are sent, so that no two batches wait for each
    /// other.
    pub(super) fn order(&self) -> Option<(&str, &str, &str)> {
        self.id.as_ref().map(name)
    }

    /// About how many bytes are sent.
    pub(super) fn bytes(&self) -> usize {
        let row = self.put.as_ref();
        let written = row
            .map_or(0, |row| row.record.len() + row.events.iter().map(String::len).sum::<usize>());
        512 + written + self.draws.iter().map(|draw| draw.cell.len()).sum::<usize>()
    }
}

impl Written {
    fn of(put: &Put) -> Result<Self, LedgerError> {
        let Put { record, events, .. } = put;
        Ok(Self {
            expected: bigint(put.expected)?,
            seen: put.twins.as_ref().map(seen),
            at: bigint(put.at.0)?,
            record: json(record)?,
            state: record.state.name().as_str(),
            hash: record.hash,
            fence: bigint(record.fence.0)?,
            changed_at: bigint(record.changed_at.0)?,
            expires_at: expires_at(&record.state).map(|at| bigint(at.0)).transpose()?,
            seq: events.first().map_or(0, |event| i32::try_from(event.seq).unwrap_or(i32::MAX)),
            in_row: events.iter().take_while(|event| event.seq <= IN_ROW).count(),
            events: events.iter().map(json).collect::<Result<_, _>>()?,
        })
    }
}

const fn expires_at(state: &State) -> Option<Timestamp> {
    match state {
        State::Succeeded { expires_at, .. }
        | State::Denied { expires_at }
        | State::Abandoned { expires_at, .. } => Some(*expires_at),
        _ => None,
    }
}

/// Twins in the words of the function `seen`.
fn seen(twins: &Twins) -> String {
    let seen = twins.seen.iter().map(|(key, version)| format!("{version} {key}"));
    seen.collect::<Vec<_>>().join("\n")
}

/// What happens to a cell.
struct Move {
    /// The cell's name, as JSON.
    cell: String,
    /// `rate` by an increment, from a cell that is no further ahead than so, both in
    /// nanoseconds; `count` up to so many and for so many nanoseconds after the first,
    /// `slot` among so many until a time; or `hold` by a fence until a time.
    kind: &'static str,
    first: i64,
    second: i64,
}

impl Move {
    /// What a proposal does: first it draws.
    fn all(put: &Put) -> Result<Vec<Self>, LedgerError> {
        let draws = put.draws.iter().map(|draw| Self::draw(draw, put.slot()));
        draws.chain(put.holds.iter().map(Self::hold)).collect()
    }

    fn draw(draw: &Draw, slot: Option<Slot>) -> Result<Self, LedgerError> {
        let (kind, first, second) = match draw.cell.limit.quota {
            Quota::Rate(count, period) => {
                let pace = Pace::of(count, period);
                ("rate", bigint(pace.increment)?, bigint(pace.span - pace.increment)?)
            }
            Quota::Count(most) | Quota::Within(most, _) => {
                let nanos = draw.open_for().saturating_mul(1_000_000);
                ("count", most.into(), i64::try_from(nanos).unwrap_or(i64::MAX))
            }
            Quota::Concurrent(most) => {
                ("slot", most.into(), slot.map_or(Ok(0), |slot| bigint(slot.until.0))?)
            }
        };
        Ok(Self { cell: json(&draw.cell)?, kind, first, second })
    }

    fn hold(Hold { cell, slot }: &Hold) -> Result<Self, LedgerError> {
        let (first, second) = (bigint(slot.fence.0)?, bigint(slot.until.0)?);
        Ok(Self { cell: json(cell)?, kind: "hold", first, second })
    }

    fn place(&self) -> i64 {
        place(&[b"cell", self.cell.as_bytes()])
    }
}

/// What is stored where there is no tenant; a tenant has at least one character.
pub(super) fn tenant(tenant: Option<&Tenant>) -> &str {
    tenant.map_or("", Tenant::as_str)
}

/// The columns that name an operation.
pub(super) fn name(id: &OperationId) -> (&str, &str, &str) {
    (tenant(id.tenant.as_ref()), &id.tool, id.key.as_str())
}

/// A number for a few texts. All processes must make the same of them, so it is
/// spelt out: FNV-1a.
pub(super) fn fnv<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The advisory lock of a few texts. Two that share one wait for each other in
/// vain, and that is all.
fn place(parts: &[&[u8]]) -> i64 {
    let parts = parts.iter().copied();
    fnv(iter::once(&b"tool_contract"[..]).chain(parts)).cast_signed()
}

/// The number of an intent, which is its place, too.
fn intent(id: &OperationId, hash: &OperationHash) -> i64 {
    let (tenant, tool, _) = name(id);
    place(&[b"intent", tenant.as_bytes(), tool.as_bytes(), hash.as_bytes()])
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| {
        LedgerError::Unavailable(format!("a record cannot be written as JSON: {error}"))
    })
}

fn bigint(number: u64) -> Result<i64, LedgerError> {
    i64::try_from(number).map_err(|_| {
        let why = "is more than PostgreSQL can store in a bigint; nothing was sent";
        LedgerError::Unavailable(format!("{number} {why}"))
    })
}

/// What is the same for all requests of a ledger.
pub(super) struct Bounds {
    schema: String,
    oldest_ms: i64,
    look_back: i32,
    lock_ms: i32,
}

impl Bounds {
    pub(super) fn of(options: &PostgresOptions) -> Self {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self {
            schema: options.schema.clone(),
            oldest_ms: millis(Put::OLDEST),
            look_back: i32::try_from(Twin::LOOK_BACK).unwrap_or(i32::MAX),
            lock_ms: i32::try_from(millis(options.request_timeout / 2)).unwrap_or(i32::MAX),
        }
    }
}

/// How many parameters the function has.
pub(super) const PARAMETERS: usize = 32;

/// Requests as the function takes them.
#[derive(Default)]
pub(super) struct Columns<'a> {
    places: Vec<i64>,
    tenants: Vec<Option<&'a str>>,
    tools: Vec<Option<&'a str>>,
    keys: Vec<Option<&'a str>>,
    looks: Vec<Option<&'a [u8]>>,
    intents: Vec<Option<i64>>,
    expecteds: Vec<Option<i64>>,
    seens: Vec<Option<&'a str>>,
    ats: Vec<Option<i64>>,
    records: Vec<Option<&'a str>>,
    states: Vec<Option<&'a str>>,
    hashes: Vec<Option<&'a [u8]>>,
    fences: Vec<Option<i64>>,
    changed_ats: Vec<Option<i64>>,
    expires_ats: Vec<Option<i64>>,
    firsts: Vec<i32>,
    in_rows: Vec<i32>,
    lasts: Vec<i32>,
    seqs: Vec<i32>,
    events: Vec<&'a str>,
    first_draws: Vec<i32>,
    last_draws: Vec<i32>,
    last_holds: Vec<i32>,
    plains: Vec<bool>,
    cells: Vec<&'a str>,
    kinds: Vec<&'a str>,
    amounts: Vec<i64>,
    bounds_of: Vec<i64>,
}

impl<'a> Columns<'a> {
    /// The columns of requests that are in [order](Request::order).
    pub(super) fn of(requests: impl Iterator<Item = &'a Request>) -> Self {
        let mut columns = Self::default();
        for request in requests {
            columns.add(request);
        }
        columns.places.sort_unstable();
        columns.places.dedup();
        columns
    }

    fn add(&mut self, request: &'a Request) {
        let Request { id, look, intent, put, draws, places } = request;
        let (name, row) = (id.as_ref().map(name), put.as_ref());
        self.places.extend(places);
        self.tenants.push(name.map(|name| name.0));
        self.tools.push(name.map(|name| name.1));
        self.keys.push(name.map(|name| name.2));
        self.looks.push(look.as_ref().map(|hash| &hash.as_bytes()[..]));
        self.intents.push(*intent);
        self.expecteds.push(row.map(|row| row.expected));
        self.seens.push(row.and_then(|row| row.seen.as_deref()));
        self.ats.push(row.map(|row| row.at));
        self.records.push(row.map(|row| &*row.record));
        self.states.push(row.map(|row| row.state));
        self.hashes.push(row.map(|row| &row.hash.as_bytes()[..]));
        self.fences.push(row.map(|row| row.fence));
        self.changed_ats.push(row.map(|row| row.changed_at));
        self.expires_ats.push(row.and_then(|row| row.expires_at));
        self.add_draws(draws);
        self.add_events(row);
    }

    /// All events are one column; each request knows its part of it.
    fn add_events(&mut self, row: Option<&'a Written>) {
        let before = self.events.len();
        let in_row = before + row.map_or(0, |row| row.in_row);
        self.events.extend(row.into_iter().flat_map(|row| row.events.iter().map(|event| &**event)));
        let place = |place: usize| i32::try_from(place).unwrap_or(i32::MAX);
        self.firsts.push(place(before + 1));
        self.in_rows.push(place(in_row));
        self.lasts.push(place(self.events.len()));
        let skipped = place(in_row - before);
        self.seqs.push(row.map_or(0, |row| row.seq.saturating_add(skipped)));
    }

    /// So are all draws, and what follows them.
    fn add_draws(&mut self, moves: &'a [Move]) {
        let place = |place: usize| i32::try_from(place).unwrap_or(i32::MAX);
        let mut draws = moves.iter().take_while(|one| one.kind != "hold");
        self.first_draws.push(place(self.cells.len() + 1));
        self.last_draws.push(place(self.cells.len() + draws.clone().count()));
        self.plains.push(draws.all(|draw| draw.kind == "rate"));
        for Move { cell, kind, first, second } in moves {
            self.cells.push(cell);
            self.kinds.push(kind);
            self.amounts.push(*first);
            self.bounds_of.push(*second);
        }
        self.last_holds.push(place(self.cells.len()));
    }

    /// The parameters, in their order.
    pub(super) fn values<'v>(&'v self, bounds: &'v Bounds) -> [Value<'v>; PARAMETERS] {
        [
            (&bounds.schema, Type::TEXT),
            (&self.places, Type::INT8_ARRAY),
            (&self.tenants, Type::TEXT_ARRAY),
            (&self.tools, Type::TEXT_ARRAY),
            (&self.keys, Type::TEXT_ARRAY),
            (&self.looks, Type::BYTEA_ARRAY),
            (&self.intents, Type::INT8_ARRAY),
            (&self.expecteds, Type::INT8_ARRAY),
            (&self.seens, Type::TEXT_ARRAY),
            (&self.ats, Type::INT8_ARRAY),
            (&self.records, Type::TEXT_ARRAY),
            (&self.states, Type::TEXT_ARRAY),
            (&self.hashes, Type::BYTEA_ARRAY),
            (&self.fences, Type::INT8_ARRAY),
            (&self.changed_ats, Type::INT8_ARRAY),
            (&self.expires_ats, Type::INT8_ARRAY),
            (&self.firsts, Type::INT4_ARRAY),
            (&self.in_rows, Type::INT4_ARRAY),
            (&self.lasts, Type::INT4_ARRAY),
            (&self.seqs, Type::INT4_ARRAY),
            (&self.events, Type::TEXT_ARRAY),
            (&self.first_draws, Type::INT4_ARRAY),
            (&self.last_draws, Type::INT4_ARRAY),
            (&self.last_holds, Type::INT4_ARRAY),
            (&self.plains, Type::BOOL_ARRAY),
            (&self.cells, Type::TEXT_ARRAY),
            (&self.kinds, Type::TEXT_ARRAY),
            (&self.amounts, Type::INT8_ARRAY),
            (&self.bounds_of, Type::INT8_ARRAY),
            (&bounds.oldest_ms, Type::INT8),
            (&bounds.look_back, Type::INT4),
            (&bounds.lock_ms, Type::INT4),
        ]
    }
}
