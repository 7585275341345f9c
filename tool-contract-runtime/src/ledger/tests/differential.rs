//! Random histories of many operations: the model, the ledger in memory, the ledger
//! in a file and the one on a shared store answer alike, and remember alike.
//!
//! The shared store is one in this process. PostgreSQL and Redis join where their
//! tests have a server; that they do exactly what that store does is shown besides,
//! by a differential test of the stores.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::outcome::OutcomeClass;
use tool_contract_spec::policy::{Limit, Period, Quota, Remint, Scope};

use super::model::{Command, Model};
use crate::clock::Clock;
use crate::ledger::conformance::{call, confirmed, happened, hash, id, repeatable, terms, unknown};
use crate::ledger::shared::SharedLedger;
use crate::ledger::shared::tests::fake::FakeStore;
use crate::ledger::time::Time;
use crate::ledger::{
    Admission, ApprovalVerdict, Attempt, BoxFuture, CellId, Decision, Draw, Fence, Finding, Holder,
    Intent, Ledger, LedgerError, MemoryLedger, Nonce, Note, Over, Query, ReconcileRequest,
    Resolution, Resolved, Settlement, SqliteLedger, Terms, Timestamp, Trust, Verdict, verify,
};
use crate::testing::ManualClock;

/// What is to be asked next; what it needs to know is looked up then.
#[derive(Debug, Clone)]
enum Plan {
    Pass(u64),
    /// Somebody sets the wall clock.
    Set(i64),
    Admit {
        request: Box<Admission>,
        bring: bool,
    },
    Settle {
        id: OperationId,
        stale: bool,
        used: u32,
        verdict: Verdict,
        told: bool,
    },
    Renew {
        id: OperationId,
        stale: bool,
        note: Option<Note>,
    },
    Begin {
        id: OperationId,
        nonce: u128,
    },
    Finish {
        id: OperationId,
        stale: bool,
        finding: Finding,
    },
    Resolve {
        id: OperationId,
        resolved: Resolved,
    },
    Decide {
        id: OperationId,
        by: &'static str,
        verdict: ApprovalVerdict,
    },
    Draw(Vec<Draw>),
}

fn operation() -> impl Strategy<Value = OperationId> {
    let tenant = prop_oneof![3 => Just(None), 1 => Just(Some("t"))];
    let tool = prop_oneof![3 => Just("tool"), 1 => Just("other")];
    let key = prop::sample::select(vec!["a", "b", "c", "d"]);
    (tenant, tool, key).prop_map(|(tenant, tool, key)| id(tenant, tool, key))
}

fn contract() -> impl Strategy<Value = Terms> {
    let base = prop_oneof![
        4 => Just(terms()),
        3 => Just(repeatable()),
        2 => Just(confirmed()),
        1 => Just(Terms { confirm: Some((Duration::from_secs(30), 2)), ..terms() }),
        1 => Just(Terms { stoppable: false, ..terms() }),
    ];
    let ttl = prop_oneof![Just(Duration::from_secs(20)), Just(Duration::from_mins(2))];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    (base, ttl, flags, prop::sample::select(&Remint::ALL)).prop_map(
        |(base, ttl, (sliding, covered, saga), remint)| Terms {
            ttl,
            sliding,
            covered,
            saga,
            remint,
            ..base
        },
    )
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let quota = prop_oneof![
        Just(Quota::Rate(3, Period::Minute)),
        Just(Quota::Rate(1, Period::Second)),
        Just(Quota::Count(6)),
        Just(Quota::Within(6, Duration::from_secs(20))),
        Just(Quota::Concurrent(1)),
        Just(Quota::Concurrent(2)),
    ];
    let subject = prop_oneof![Just(None), Just(Some("eve".into()))];
    let ahead = prop_oneof![3 => Just(0), 1 => 0..20_000_u64];
    let draw = (quota, subject, ahead).prop_map(|(quota, subject, ahead)| {
        let limit = Limit { scope: Scope::User, quota };
        let cell = CellId { over: Over::All, limit, tenant: None, subject };
        Draw { cell, ahead: Duration::from_millis(ahead) }
    });
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(draw, 1..3)]
}

fn admission() -> impl Strategy<Value = Plan> {
    let intent = prop_oneof![5 => Just(Intent::Claim), 1 => Just(Intent::RequestApproval)];
    (operation(), 0..6_u128, 0..3_u8, contract(), intent, draws(), any::<bool>()).prop_map(
        |(id, caller, number, terms, intent, draws, bring)| {
            let request = Admission {
                hash: hash(number),
                arguments: format!("[{number}]").into(),
                holder: Holder(caller % 2),
                terms: terms.into(),
                intent,
                draws,
                requested_by: (caller == 0).then(|| "ada".into()),
                correlation_id: (caller == 1).then(|| "trace".into()),
                ..call(caller, &id)
            };
            Plan::Admit { request: Box::new(request), bring }
        },
    )
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => prop::sample::select(vec!["1", "2"]).prop_map(happened),
        3 => (0..3_u64).prop_map(|delay| Verdict::Released { delay: Duration::from_secs(delay) }),
        2 => Just(unknown()),
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        Just(Finding::Happened { result: "1".into() }),
        prop::sample::select(vec![Timestamp::ZERO, Timestamp::END]).prop_map(|looked_at| {
            Finding::DidNotHappen { looked_at, delay: Duration::from_secs(1) }
        }),
        Just(Finding::CannotTell { why: "no idea".into() }),
    ]
}

fn resolved() -> impl Strategy<Value = Resolved> {
    prop_oneof![
        Just(Resolved::Happened { result: "1".into() }),
        any::<bool>().prop_map(|holder_is_dead| Resolved::DidNotHappen { holder_is_dead }),
        Just(Resolved::Abandoned),
        Just(Resolved::Reopened),
    ]
}

fn decision() -> impl Strategy<Value = Plan> {
    let verdict = prop_oneof![
        4 => Just(ApprovalVerdict::GRANT),
        1 => Just(ApprovalVerdict::Deny { why: "no".into() }),
    ];
    (operation(), prop::sample::select(vec!["ada", "bob", "eve"]), verdict)
        .prop_map(|(id, by, verdict)| Plan::Decide { id, by, verdict })
}

fn note() -> impl Strategy<Value = Option<Note>> {
    prop::option::of(prop_oneof![
        "[a-z]{0,20}".prop_map(Note::Stepped),
        "[a-z]{0,20}".prop_map(Note::Unwinding),
    ])
}

fn plan() -> impl Strategy<Value = Plan> {
    let stale = || prop::bool::weighted(0.15);
    prop_oneof![
        4 => (1..8_000_u64).prop_map(Plan::Pass),
        1 => (-60_000..60_000_i64).prop_map(Plan::Set),
        12 => admission(),
        8 => (operation(), stale(), 0..3_u32, verdict(), any::<bool>())
            .prop_map(|(id, stale, used, verdict, told)| Plan::Settle { id, stale, used, verdict, told }),
        4 => (operation(), stale(), note()).prop_map(|(id, stale, note)| Plan::Renew { id, stale, note }),
        3 => (operation(), 0..4_u128).prop_map(|(id, nonce)| Plan::Begin { id, nonce }),
        3 => (operation(), stale(), finding()).prop_map(|(id, stale, finding)| Plan::Finish { id, stale, finding }),
        2 => (operation(), resolved()).prop_map(|(id, resolved)| Plan::Resolve { id, resolved }),
        4 => decision(),
        1 => draws().prop_map(Plan::Draw),
    ]
}

/// The clock of a shared store and of its client: it never jumps, as that of the
/// other ledgers, and the client knows it to the millisecond.
struct Steady(Arc<ManualClock>, Mutex<Time>);

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        self.1.lock().unwrap().now()
    }

    fn elapsed(&self) -> Duration {
        self.now().since(Timestamp::ZERO)
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.0.pause(span)
    }

    fn alarm(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.0.alarm(span)
    }
}

/// All of them, under one clock.
struct All {
    clock: Arc<ManualClock>,
    time: Time,
    model: Model,
    memory: MemoryLedger,
    sqlite: SqliteLedger,
    shared: SharedLedger<FakeStore>,
    server: Option<Server>,
    _directory: TempDir,
}

/// A ledger on a server, and what tells the server the time.
pub(in crate::ledger) struct Server {
    pub(in crate::ledger) ledger: Box<dyn Ledger>,
    pub(in crate::ledger) clock: Arc<dyn Clock>,
    pub(in crate::ledger) tell: Box<dyn Fn(Timestamp) -> BoxFuture<'static, ()> + Send + Sync>,
}

fn steady(clock: &Arc<ManualClock>) -> Arc<dyn Clock> {
    let time = Mutex::new(Time::new(Arc::clone(clock) as _));
    Arc::new(Steady(Arc::clone(clock), time))
}

impl All {
    async fn new(clock: Arc<ManualClock>, server: Option<Server>) -> Self {
        let directory = TempDir::new().unwrap();
        let options = SqliteLedger::options().clock(Arc::clone(&clock) as _).without_syncing();
        let steady = steady(&clock);
        Self {
            shared: SharedLedger::new(FakeStore::new(Arc::clone(&steady)), steady),
            server,
            time: Time::new(Arc::clone(&clock) as _),
            model: Model::default(),
            memory: MemoryLedger::with_clock(Arc::clone(&clock) as _),
            sqlite: options.open(directory.path().join("ledger.db")).await.unwrap(),
            _directory: directory,
            clock,
        }
    }

    async fn follow(&mut self, plan: &Plan) {
        let Some(command) = self.command(plan) else { return };
        let now = self.time.now();
        let expected = self.model.run(&command, now);
        assert_eq!(ask(&self.memory, command.clone()).await, expected, "in memory: {command:?}");
        assert_eq!(ask(&self.sqlite, command.clone()).await, expected, "in a file: {command:?}");
        assert_eq!(ask(&self.shared, command.clone()).await, expected, "shared: {command:?}");
        if let Some(Server { ledger, clock, tell }) = &self.server {
            // Each clock steps where it is looked at.
            assert_eq!(clock.now(), now);
            tell(now).await;
            assert_eq!(ask(&**ledger, command.clone()).await, expected, "server: {command:?}");
        }
    }

    /// Looks up what a plan left open.
    fn command(&self, plan: &Plan) -> Option<Command> {
        Some(match plan.clone() {
            Plan::Pass(millis) => {
                self.clock.advance(Duration::from_millis(millis));
                return None;
            }
            Plan::Set(millis) => {
                self.clock.step_wall(millis);
                return None;
            }
            Plan::Admit { mut request, bring } => {
                let approval =
                    self.model.records.get(&request.id).and_then(|record| record.approval.as_ref());
                request.approval = approval.filter(|_| bring).map(|approval| approval.id.clone());
                Command::Admit(*request)
            }
            Plan::Settle { id, stale, used, verdict, told } => {
                let fence = self.fence(&id, stale);
                Command::Settle(Settlement {
                    id,
                    fence,
                    used,
                    verdict,
                    attempts: if told { attempts() } else { Vec::new() },
                })
            }
            Plan::Renew { id, stale, note } => {
                Command::Renew(id.clone(), self.fence(&id, stale), note)
            }
            Plan::Begin { id, nonce } => Command::Begin(ReconcileRequest {
                id,
                nonce: Nonce(100 + nonce),
                holder: Holder(0),
            }),
            Plan::Finish { id, stale, finding } => {
                Command::Finish(id.clone(), self.fence(&id, stale), finding)
            }
            Plan::Resolve { id, resolved } => Command::Resolve(Resolution {
                escalation: None,
                id,
                by: "ada".into(),
                why: "looked".into(),
                resolved,
            }),
            Plan::Decide { id, by, verdict } => {
                let request = self.model.records.get(&id)?.approval.as_ref()?.id.clone();
                Command::Decide(Decision {
                    id,
                    request,
                    by: by.into(),
                    verdict,
                    signature: None,
                    trust: Trust::insecure(),
                })
            }
            Plan::Draw(draws) => Command::Draw(draws),
        })
    }

    fn fence(&self, id: &OperationId, stale: bool) -> Fence {
        let newest = self.model.records.get(id).map_or(Fence(7), |record| record.fence);
        Fence(newest.0.saturating_sub(u64::from(stale)))
    }

    /// All remember the same.
    async fn compare(&self) {
        let expected: Vec<_> = self.model.records.clone().into_iter().collect();
        let server = self.server.as_ref().map(|server| &*server.ledger);
        let here = [&self.memory as &dyn Ledger, &self.sqlite, &self.shared];
        for ledger in here.into_iter().chain(server) {
            let listed = ledger.list(Query::default()).await.unwrap();
            for (found, expected) in listed.iter().zip(&expected) {
                assert_eq!(found, expected);
            }
            assert_eq!(listed.len(), expected.len());
            let escalated = Query { escalated: true, ..Query::default() };
            let (mut queue, mut expected) =
                (ledger.list(escalated).await.unwrap(), expected.clone());
            // Whose lease has run out since, each knows by its own clock.
            for queue in [&mut queue, &mut expected] {
                queue.retain(|(_, record)| record.state.name().is_escalated());
            }
            assert_eq!(queue, expected);
            for (id, record) in &expected {
                let history = ledger.history(id.clone()).await.unwrap();
                assert_eq!(history, self.model.histories[id]);
                assert_eq!(verify(&history, &record.chain), Ok(()));
            }
        }
    }
}

fn attempts() -> Vec<Attempt> {
    let class = OutcomeClass::SideEffectUnknown;
    let error = "no answer \u{1F980}".to_owned();
    vec![Attempt {
        number: 1,
        began_at: Timestamp(5),
        took: Duration::from_millis(7),
        class,
        error,
        decided: "escalate".to_owned(),
    }]
}

/// The answer of a ledger, written out as the model does.
async fn ask(ledger: &dyn Ledger, command: Command) -> String {
    fn written<R: std::fmt::Debug>(answer: Result<R, LedgerError>) -> String {
        format!("{:?}", answer.unwrap())
    }
    match command {
        Command::Admit(request) => written(ledger.admit(&request).await),
        Command::Settle(settlement) => written(ledger.settle(&settlement).await),
        Command::Renew(id, fence, note) => written(ledger.renew(id, fence, note).await),
        Command::Begin(request) => written(ledger.begin_reconcile(request).await),
        Command::Finish(id, fence, finding) => {
            written(ledger.finish_reconcile(id, fence, finding).await)
        }
        Command::Resolve(resolution) => written(ledger.resolve(resolution).await),
        Command::Decide(decision) => written(ledger.decide_approval(decision).await),
        Command::Draw(draws) => written(ledger.draw(draws).await),
    }
}

/// Leads a history through all of them.
async fn lead(plans: &[Plan], clock: Arc<ManualClock>, server: Option<Server>) {
    let mut all = All::new(clock, server).await;
    for plan in plans {
        all.follow(plan).await;
    }
    all.compare().await;
}

/// Leads so many histories through all of them and the ledger that `make` gives,
/// each through a new one, which goes by the clock that it is given.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(in crate::ledger) fn with_server<F: Future<Output = Server>>(
    cases: u32,
    make: impl Fn(Arc<dyn Clock>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, ..ProptestConfig::default() };
    proptest!(config, |(plans in prop::collection::vec(plan(), 1..120))| {
        runtime.block_on(async {
            let clock = Arc::new(ManualClock::new());
            let server = make(steady(&clock)).await;
            lead(&plans, clock, Some(server)).await;
        });
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn all_ledgers_are_alike(plans in prop::collection::vec(plan(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(lead(&plans, Arc::new(ManualClock::new()), None));
    }
}
