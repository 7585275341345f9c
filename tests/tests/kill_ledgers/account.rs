//! What the ledger says of every call, beside what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use tool_contract::ledger::{Ledger, Query, Record, Renewed, State, StateName, verify};
use tool_contract::spec::key::OperationId;
use tool_contract_tests::shared::{LEASE, World, key};

use super::said::Said;

/// How long to wait for the leases of the dead to run out.
const PATIENCE: Duration = LEASE.saturating_mul(15);

/// How often each effect happened: what nobody dedupes happens each time.
pub(crate) fn struck(world: &World) -> BTreeMap<u64, u64> {
    let mut effects = BTreeMap::new();
    for (number, _) in world.acts("strike").unwrap() {
        *effects.entry(number).or_default() += 1;
    }
    effects
}

/// How often each effect happened where it does once for each key.
fn delivered(world: &World) -> BTreeMap<u64, u64> {
    let mut keys = BTreeMap::<u64, BTreeSet<String>>::new();
    for (number, key) in world.acts("deliver").unwrap() {
        keys.entry(number).or_default().insert(key);
    }
    keys.into_iter().map(|(number, keys)| (number, keys.len() as u64)).collect()
}

/// Everything that the ledger lists.
async fn list(ledger: &dyn Ledger, mut query: Query) -> Vec<(OperationId, Record)> {
    let mut all = Vec::new();
    loop {
        let page = ledger.list(query.clone()).await.unwrap();
        let is_last = page.len() < query.bound();
        query.after = page.last().map(|(id, _)| id.clone());
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

fn in_state(state: StateName) -> Query {
    Query { state: Some(state), ..Query::default() }
}

/// Waits until nobody who was killed holds anything, and has it written down.
pub(crate) async fn await_leases(ledger: &dyn Ledger) {
    let begun = Instant::now();
    while !list(ledger, in_state(StateName::Running)).await.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "a lease of the dead does not run out");
        tokio::time::sleep(LEASE / 20).await;
    }
    for (id, record) in list(ledger, in_state(StateName::Unknown)).await {
        if matches!(record.state, State::Running { .. }) {
            // As the dead holder would, if it were only slow.
            let renewed = ledger.renew(id.clone(), record.fence, None).await.unwrap();
            assert!(matches!(renewed, Renewed::Lost { .. }), "{id}: {renewed:?}");
        }
    }
}

/// What became of the calls of one tool; each number is of one key.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    acts: usize,
    effects: u64,
    pub(crate) succeeded: u64,
    /// Effects that happened more than once.
    duplicates: Vec<u64>,
    /// Effects of which nothing is on record, and reported successes that are not.
    lost: Vec<u64>,
    /// On record as succeeded without having happened, or with another result.
    made_up: Vec<u64>,
    /// On record as free to run, though it happened.
    freed: Vec<u64>,
    /// Reported to have run more than once.
    repeated: Vec<u64>,
    /// On record as unknown, and how often it happened.
    pub(crate) unknown: BTreeMap<u64, u64>,
}

impl Tally {
    fn check(&self, tool: &str) {
        let wrong = [&self.duplicates, &self.lost, &self.made_up, &self.freed, &self.repeated];
        assert!(wrong.iter().all(|numbers| numbers.is_empty()), "{tool}: {self:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = self.unknown.values().filter(|times| **times > 0).count();
        write!(
            f,
            "{} effects, {} duplicates, {} lost, {with} unknown with effect and {} without",
            self.effects,
            self.duplicates.len(),
            self.lost.len(),
            self.unknown.len() - with
        )
    }
}

/// What became of all calls.
pub(crate) struct Account {
    pub(crate) strike: Tally,
    pub(crate) deliver: Tally,
}

impl Account {
    /// Compares what is on record, what happened, and what was said.
    pub(crate) async fn draw_up(ledger: &dyn Ledger, world: &World, said: &Said) -> Self {
        let tally = async |tool: &'static str, effects| {
            let records = records(ledger, tool).await;
            let mut tally = compare(&records, &effects);
            tally.acts = world.acts(tool).unwrap().len();
            hear(&mut tally, tool, &records, said);
            tally
        };
        Self {
            strike: tally("strike", struck(world)).await,
            deliver: tally("deliver", delivered(world)).await,
        }
    }

    pub(crate) fn check(&self) {
        self.strike.check("strike");
        self.deliver.check("deliver");
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strike, deliver } = self;
        write!(f, "by the ledger: {strike}; downstream: {} deliveries, {deliver}", deliver.acts)
    }
}

/// The records of a tool, each with a history that holds. Those that are unknown
/// are listed as such, and escalated.
async fn records(ledger: &dyn Ledger, tool: &str) -> BTreeMap<u64, Record> {
    let of_tool = |state| Query { tool: Some(tool.to_owned()), state, ..Query::default() };
    let unknown = list(ledger, of_tool(Some(StateName::Unknown))).await;
    let mut unknown: BTreeSet<_> = unknown.into_iter().map(|(id, _)| id).collect();
    let mut records = BTreeMap::new();
    for (id, record) in list(ledger, of_tool(None)).await {
        let history = ledger.history(id.clone()).await.unwrap();
        assert_eq!(verify(&history, &record.chain), Ok(()), "{id}");
        if matches!(record.state, State::Unknown(_)) {
            assert!(unknown.remove(&id) && record.escalation.is_some(), "{id}: {record:?}");
        }
        let number = id.key.as_str().trim_start_matches("order-").parse().unwrap();
        assert_eq!(id.key.as_str(), key(number));
        records.insert(number, record);
    }
    assert!(unknown.is_empty(), "listed as unknown: {unknown:?}");
    records
}

fn compare(records: &BTreeMap<u64, Record>, effects: &BTreeMap<u64, u64>) -> Tally {
    let mut tally = Tally { effects: effects.values().sum(), ..Tally::default() };
    let several = effects.iter().filter(|(_, times)| **times > 1);
    tally.duplicates.extend(several.map(|(number, _)| number));
    tally.lost.extend(effects.keys().filter(|number| !records.contains_key(number)));
    for (&number, record) in records {
        let times = effects.get(&number).copied().unwrap_or(0);
        match &record.state {
            State::Succeeded { result, .. } => {
                tally.succeeded += 1;
                if times == 0 || **result != *number.to_string() {
                    tally.made_up.push(number);
                }
            }
            State::Released { .. } | State::Exhausted { .. } if times == 0 => {}
            State::Released { .. } | State::Exhausted { .. } => tally.freed.push(number),
            State::Unknown(_) => {
                tally.unknown.insert(number, times);
            }
            other => panic!("order-{number} is {other:?} in the end"),
        }
    }
    tally
}

/// Adds what was said: a success that was reported is on record, and ran once.
fn hear(tally: &mut Tally, tool: &str, records: &BTreeMap<u64, Record>, said: &Said) {
    for ((_, number), ran) in said.successes.iter().filter(|((of, _), _)| of == tool) {
        let state = records.get(number).map(|record| &record.state);
        if !matches!(state, Some(State::Succeeded { .. })) {
            tally.lost.push(*number);
        }
        if *ran > 1 {
            tally.repeated.push(*number);
        }
    }
}
