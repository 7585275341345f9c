//! Random exchanges: a store, and the one that says exactly what an exchange
//! does, answer alike and remember alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::{Limit, Period, Quota, Scope};

use super::fake::FakeStore;
use crate::clock::Clock as _;
use crate::ledger::conformance::{hash, id, terms};
use crate::ledger::shared::{Exchange, Exchanged, Found, Put, Store, Twins};
use crate::ledger::{
    BoxFuture, CellId, Chain, Denial, Draw, Event, EventKind, Fence, Hold, Holder, Nonce, Over,
    Query, Record, State, StateName, Timestamp, Unknown,
};
use crate::testing::ManualClock;

/// What is to be asked next; what hangs on what there is, is looked up then.
#[derive(Debug, Clone)]
enum Plan {
    Pass(u64),
    Set(i64),
    Look(OperationId, Option<u8>),
    Put(Box<Proposed>),
    Draw(Vec<Draw>),
    Reserve(u64),
    List(Query),
    Over,
}

/// A proposal, and how far it is from what holds.
#[derive(Debug, Clone)]
struct Proposed {
    id: OperationId,
    hash: Option<u8>,
    /// What is added to the version that there is.
    off: i64,
    /// How many milliseconds before the store's time it is dated.
    age: i64,
    twins: Option<KnownTwins>,
    state: State,
    new_hash: u8,
    claims: bool,
    events: u32,
    draws: Vec<Draw>,
}

#[derive(Debug, Clone)]
struct KnownTwins {
    hash: u8,
    /// Which of those that there are is seen wrongly, and how.
    off: Option<(prop::sample::Index, Off)>,
}

/// How one of the twins is seen wrongly.
#[derive(Debug, Clone, Copy)]
enum Off {
    /// It is not seen.
    Missing,
    /// It is seen, and nobody is there.
    Another,
    /// It was changed since.
    Changed,
    /// It is newer than it was.
    Newest,
}

const TOOLS: [&str; 3] = ["tool", "another:{\"}%'\\", "none"];

fn operation() -> impl Strategy<Value = OperationId> {
    let tenant = prop_oneof![3 => Just(None), 1 => Just(Some("t"))];
    let tool = prop_oneof![3 => Just(TOOLS[0]), 1 => Just(TOOLS[1])];
    let often = prop::sample::select(vec!["a", "b", "c", "d}", "E:1"]);
    let key = prop_oneof![often.prop_map(str::to_owned), "n[0-9][0-9]"];
    (tenant, tool, key).prop_map(|(tenant, tool, key)| id(tenant, tool, &key))
}

fn state() -> impl Strategy<Value = State> {
    let at = (0..3_u64).prop_map(|more| Timestamp(1_767_225_600_000 + more * 1_000_000));
    let unknown = |at| Unknown { since: at, believed_from: Some(at), cause: "no \u{1F980}".into() };
    let no = || Denial { by: "ada".into(), why: "no \u{1F980}".into(), signature: None };
    (0..14, at).prop_map(move |(number, at)| match number {
        0 => State::AwaitingApproval,
        1 => State::Approved,
        2 => State::Denied { expires_at: at },
        3 | 11.. => State::Running { lease_until: at },
        4 => State::Released { not_before: at },
        5 => State::Succeeded { result: "\"a \\ \u{0} result\"".into(), expires_at: at },
        6 => State::Unknown(unknown(at)),
        7 => State::Reconciling { lease_until: at, unknown: unknown(at) },
        8 => State::Exhausted { not_before: at },
        9 => State::Abandoned { no: no(), expires_at: at },
        _ => State::Expired,
    })
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let quota = prop::sample::select(vec![
        Quota::Rate(3, Period::Minute),
        Quota::Rate(7, Period::Second),
        Quota::Rate(1, Period::Second),
        Quota::Rate(u32::MAX, Period::Second),
        Quota::Rate(1, Period::Day),
        Quota::Rate(11, Period::Day),
        Quota::Rate(2, Period::Hour),
        Quota::Count(1),
        Quota::Count(4),
        Quota::Count(9),
        Quota::Within(4, Duration::from_secs(20)),
        Quota::Within(9, Duration::from_nanos(5_000_000_001)),
        Quota::Concurrent(1),
        Quota::Concurrent(2),
        Quota::Concurrent(3),
    ]);
    let subject = prop::sample::select(vec![None, None, Some("eve"), Some("a b")]);
    let over = prop_oneof![3 => Just(Over::from("tool")), 1 => Just(Over::All)];
    let ahead = prop_oneof![3 => Just(0), 1 => 0..20_000_u64];
    let draw = (over, quota, subject, ahead).prop_map(|(over, quota, subject, ahead)| {
        let limit = Limit { scope: Scope::User, quota };
        let subject = subject.map(Into::into);
        let cell = CellId { over, limit, tenant: None, subject };
        Draw { cell, ahead: Duration::from_millis(ahead) }
    });
    prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(draw, 1..4)]
}

fn proposal() -> impl Strategy<Value = Proposed> {
    let off = prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(-1)];
    let age = prop_oneof![8 => 0..4_000_i64, 1 => 4_999..5_002_i64, 1 => -1..1_i64];
    let how = prop::sample::select(vec![Off::Missing, Off::Another, Off::Changed, Off::Newest]);
    let seen_wrongly = prop::option::weighted(0.3, (any::<prop::sample::Index>(), how));
    let twins = (0..3_u8, seen_wrongly).prop_map(|(hash, off)| KnownTwins { hash, off });
    let place = (operation(), prop::option::of(0..3_u8), off, age, prop::option::of(twins));
    let what = (state(), 0..3_u8, any::<bool>(), 0..3_u32, draws());
    (place, what).prop_map(
        |((id, hash, off, age, twins), (state, new_hash, claims, events, draws))| Proposed {
            id,
            hash,
            off,
            age,
            twins,
            state,
            new_hash,
            claims,
            events,
            draws,
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let state = prop::option::of(prop::sample::select(&StateName::ALL[..]));
    let tool = prop::option::of(prop::sample::select(&TOOLS[..]));
    let escalated = prop::bool::weighted(0.3);
    (any::<bool>(), tool, state, escalated, prop::option::of(operation()), 0..4_usize).prop_map(
        |(whose, tool, state, escalated, after, limit)| Query {
            escalated,
            tenant: whose.then(|| Tenant::new("t").unwrap()),
            tool: tool.map(Into::into),
            state,
            after,
            limit,
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        3 => (1..8_000_u64).prop_map(Plan::Pass),
        1 => Just(Plan::Pass(200_000_000)),
        1 => (-60_000..60_000_i64).prop_map(Plan::Set),
        3 => (operation(), prop::option::of(0..3_u8)).prop_map(|(id, hash)| Plan::Look(id, hash)),
        20 => proposal().prop_map(|proposed| Plan::Put(Box::new(proposed))),
        3 => draws().prop_map(Plan::Draw),
        1 => Just(Plan::Over),
        1 => (1..300_u64).prop_map(Plan::Reserve),
        3 => query().prop_map(Plan::List),
    ]
}

/// A store to be compared. It is empty, and used by nobody else.
pub(in crate::ledger) struct Other<S> {
    pub(in crate::ledger) store: S,
    /// The clock that it lives by.
    pub(in crate::ledger) clock: Arc<ManualClock>,
    /// Tells its server what time it is, where that cannot see the clock.
    pub(in crate::ledger) tell: Box<dyn Fn(Timestamp) -> BoxFuture<'static, ()>>,
    /// The largest number that it takes.
    pub(in crate::ledger) largest: u64,
    /// Whether its fences begin with 1, as those of the plain store.
    pub(in crate::ledger) begins_with_one: bool,
    /// Whether it drops idle cells when it is asked what is over. If the clock is
    /// set back afterwards, a new cell has more room than the old one had.
    pub(in crate::ledger) drops_idle_cells: bool,
}

/// How often each answer was given in all: each must be.
#[derive(Default)]
struct Answers {
    put: AtomicU32,
    limited: AtomicU32,
    twins: AtomicU32,
}

impl Answers {
    fn count(&self, answer: &Exchanged) {
        match answer {
            Exchanged::Put { .. } => self.put.fetch_add(1, Ordering::Relaxed),
            Exchanged::Limited { .. } => self.limited.fetch_add(1, Ordering::Relaxed),
            Exchanged::Found(found) => {
                self.twins.fetch_add(u32::from(found.twins.len() > 1), Ordering::Relaxed)
            }
        };
    }

    /// So many histories have met each often enough.
    fn check(&self, cases: u32) {
        for (what, count, least) in
            [("put", &self.put, 1_000), ("limited", &self.limited, 30), ("twins", &self.twins, 30)]
        {
            let count = count.load(Ordering::Relaxed);
            println!("{what}: {count}");
            assert!(count * 96 > least * cases, "too little was tried: {what} {count}");
        }
    }
}

/// Compares a store with the one that says what each does, in so many random
/// histories; `PROPTEST_CASES` sets another number.
pub(in crate::ledger) fn alike<S: Store, F: Future<Output = Other<S>>>(
    cases: u32,
    make: impl Fn() -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let set = std::env::var("PROPTEST_CASES").ok().and_then(|set| set.parse().ok());
    let cases = set.unwrap_or(cases);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let answers = Arc::<Answers>::default();
    proptest!(config, |(plans in prop::collection::vec(plan(), 1..150))| {
        runtime.block_on(async {
            let mut two = Two::new(make().await, &answers);
            for plan in plans {
                two.follow(plan).await;
            }
            two.compare().await;
        });
    });
    answers.check(cases);
}

/// The two, under one clock.
struct Two<S> {
    fake: FakeStore,
    other: Other<S>,
    fence: u64,
    answers: Arc<Answers>,
}

impl<S: Store> Two<S> {
    fn new(other: Other<S>, answers: &Arc<Answers>) -> Self {
        // Where doubles count by twos, and digits would be lost.
        let fence = other.largest - 1_000_000;
        Self {
            fake: FakeStore::new(Arc::clone(&other.clock) as _),
            other,
            fence,
            answers: Arc::clone(answers),
        }
    }

    async fn follow(&mut self, plan: Plan) {
        match plan {
            Plan::Pass(millis) => {
                self.other.clock.advance(Duration::from_millis(millis));
                (self.other.tell)(self.other.clock.now()).await;
            }
            Plan::Set(millis) => {
                self.other.clock.step_wall(millis);
                (self.other.tell)(self.other.clock.now()).await;
            }
            Plan::Look(id, number) => {
                self.exchange(Exchange { id, hash: number.map(hash), put: None }).await;
            }
            Plan::Put(proposed) => {
                let exchange = self.propose(*proposed).await;
                self.exchange(exchange).await;
            }
            Plan::Draw(draws) => {
                let expected = self.fake.draw(draws.clone()).await;
                assert_eq!(self.other.store.draw(draws).await, expected);
            }
            Plan::Reserve(_) if !self.other.begins_with_one => {}
            Plan::Reserve(count) => {
                let expected = self.fake.reserve_fences(count).await;
                assert_eq!(self.other.store.reserve_fences(count).await, expected);
            }
            Plan::Over => {
                let expected = self.fake.over(usize::MAX).await;
                let mut over = self.other.store.over(usize::MAX).await.unwrap();
                // One with an archive names those, too, that are not in it yet.
                let query = Query { state: Some(StateName::Expired), ..Query::default() };
                let expired = self.fake.list(query).await.unwrap();
                over.retain(|id| !expired.iter().any(|(expired, _)| expired == id));
                over.sort();
                assert_eq!(Ok(over), expected);
                assert!(self.other.store.over(2).await.unwrap().len() <= 2);
                if self.other.drops_idle_cells {
                    self.fake.drop_idle_cells();
                }
            }
            Plan::List(query) => {
                let expected = self.fake.list(query.clone()).await;
                assert_eq!(self.other.store.list(query).await, expected);
            }
        }
    }

    async fn exchange(&self, exchange: Exchange) {
        let expected = self.fake.exchange(exchange.clone()).await.unwrap();
        let answer = self.other.store.exchange(exchange.clone()).await.unwrap();
        self.answers.count(&expected);
        assert_eq!(format!("{answer:?}"), format!("{expected:?}"), "{exchange:?}");
    }

    async fn look(&self, id: &OperationId, hash: Option<OperationHash>) -> Found {
        let exchange = Exchange { id: id.clone(), hash, put: None };
        match self.fake.exchange(exchange).await.unwrap() {
            Exchanged::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }

    async fn propose(&mut self, proposed: Proposed) -> Exchange {
        let found = self.look(&proposed.id, None).await;
        let version = found.record.as_ref().map_or(0, |found| found.version);
        let before = found.record.map(|found| found.record);
        let twins = match &proposed.twins {
            Some(known) => Some(self.known(&proposed.id, known).await),
            None => None,
        };
        if proposed.claims {
            self.fence += 1;
        }
        let events = self.fake.history(proposed.id.clone()).await.unwrap().len();
        let first = u32::try_from(events).unwrap() + 1;
        let mut draws = proposed.draws;
        // Only a claim takes slots: each under a fence of its own.
        draws.retain(|draw| proposed.claims || !draw.cell.takes_a_slot());
        let newest = before.as_ref().map_or(Fence::NONE, |before| before.fence);
        let slots = draws.iter().map(|draw| &draw.cell).filter(|cell| cell.takes_a_slot());
        // A step that knows twins asks for the same ones, and makes another of them; so
        // does one that makes a record.
        let number = proposed.twins.as_ref().map(|twins| twins.hash).or(proposed.hash);
        let is_theirs = twins.is_some() || before.is_none();
        let own = number.filter(|_| is_theirs).unwrap_or(proposed.new_hash);
        let record = Record {
            fence: if proposed.claims { Fence(self.fence) } else { newest },
            slots: match &before {
                Some(before) if !proposed.claims => before.slots.clone(),
                _ => slots.cloned().collect(),
            },
            ..record(proposed.state, own)
        };
        let put = Put {
            expected: version.saturating_add_signed(proposed.off),
            twins,
            at: Timestamp(self.other.clock.now().0.saturating_add_signed(-proposed.age)),
            holds: before.map(|before| Hold::moved(&before, &record)).unwrap_or_default(),
            record,
            events: (first..first + proposed.events).map(|seq| self.event(seq)).collect(),
            draws,
        };
        Exchange { id: proposed.id, hash: number.map(hash), put: Some(put) }
    }

    fn event(&self, seq: u32) -> Event {
        Event {
            seq,
            at: Timestamp(self.other.largest),
            kind: EventKind::Claimed,
            fence: Fence(self.other.largest),
            detail: (seq % 2 == 1).then(|| "why \u{0} \u{1F980}".to_owned()),
            hash: [255; 32],
        }
    }

    /// What a caller would know of the twins: an operation without a record is
    /// told of them.
    async fn known(&self, id: &OperationId, known: &KnownTwins) -> Twins {
        let key = IdempotencyKey::new("nobody").unwrap();
        let nobody = OperationId { key, ..id.clone() };
        let found = self.look(&nobody, Some(hash(known.hash))).await.twins;
        let mut seen: Vec<_> =
            found.into_iter().map(|found| (found.twin.key, found.version)).collect();
        if let Some((index, off)) = known.off.filter(|_| !seen.is_empty()) {
            let at = index.index(seen.len());
            match off {
                Off::Missing => drop(seen.remove(at)),
                Off::Another => seen.insert(at, (nobody.key, 1)),
                Off::Changed => seen[at].1 += 1,
                Off::Newest => seen[..=at].rotate_right(1),
            }
        }
        Twins { hash: hash(known.hash), seen }
    }

    /// Both remember the same.
    async fn compare(&self) {
        let query = Query::default();
        let all = self.fake.list(query.clone()).await.unwrap();
        assert_eq!(self.other.store.list(query).await.unwrap(), all);
        for (id, _) in all {
            let expected = self.fake.history(id.clone()).await;
            assert_eq!(self.other.store.history(id).await, expected);
        }
    }
}

fn record(state: State, number: u8) -> Record {
    Record {
        hash: hash(number),
        arguments: "{\"a\":\"\u{1F980}\"}".into(),
        state,
        fence: Fence::NONE,
        nonce: Nonce(u128::MAX),
        holder: Holder(u128::MAX - 1),
        attempts: 1,
        reserved: 1,
        terms: terms().into(),
        slots: Vec::new(),
        approval: None,
        escalation: None,
        doubt: None,
        correlation_id: Some("trace".into()),
        created_at: Timestamp(1),
        changed_at: Timestamp(2),
        chain: Chain::default(),
    }
}
