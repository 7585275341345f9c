//! Whole histories at random: several runtimes on one ledger, callers that
//! come again, go away and run out of time, attempts that fail in every way, a
//! ledger that fails at every step, processes that stand still, people who
//! look. One claim: nothing happens twice under one key, and nobody is told
//! what is not so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tool_contract::ledger::{Query, Resolution, Resolved, StateName, verify};
use tool_contract::testing::{Fault, Step};
use tool_contract::{Asked, CallError, Cx, Runtime, tool};

use crate::stage::{Stage, ms, secs};
use crate::world::{Trouble, World};

/// A small generator of numbers, the same everywhere (xorshift64*).
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Less than `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()].clone()
    }
}

/// What one call did to the world.
#[derive(Debug, Clone, Copy, Default)]
struct Deeds {
    attempts: u32,
    effects: u32,
}

/// A world in which everything happens at random.
#[derive(Clone)]
struct Weather(Arc<(Mutex<Sky>, Notify)>);

struct Sky {
    dice: Dice,
    effects: BTreeMap<String, u32>,
    calls: BTreeMap<String, Deeds>,
}

impl Weather {
    fn new(seed: u64) -> Self {
        let sky = Sky { dice: Dice::new(seed), effects: BTreeMap::new(), calls: BTreeMap::new() };
        Self(Arc::new((Mutex::new(sky), Notify::new())))
    }

    fn sky(&self) -> MutexGuard<'_, Sky> {
        self.0.0.lock().unwrap()
    }

    fn roll(&self, sides: u64) -> u64 {
        self.sky().dice.roll(sides)
    }

    fn happen(&self, cx: &Cx, key: &str) {
        let mut sky = self.sky();
        *sky.effects.entry(key.to_owned()).or_default() += 1;
        sky.calls.entry(call_of(cx)).or_default().effects += 1;
    }

    /// Lets those who wait go on, each as far as it likes.
    fn blow(&self) {
        self.0.1.notify_waiters();
    }

    async fn wait(&self) {
        for _ in 0..self.roll(4) {
            self.0.1.notified().await;
        }
    }

    /// One attempt. What it says is true: it is never called a failure without
    /// effect when there was one.
    async fn act(&self, cx: &Cx, key: &str) -> Result<u32, Trouble> {
        self.sky().calls.entry(call_of(cx)).or_default().attempts += 1;
        self.wait().await;
        let failures =
            [Trouble::Busy, Trouble::Down, Trouble::NoRoute, Trouble::Invalid, Trouble::Closed];
        match self.roll(10) {
            0..3 => {
                let failure = self.sky().dice.pick(&failures);
                return Err(failure);
            }
            3 => return Err(Trouble::NoAnswer),
            4 => panic!("struck by lightning"),
            _ => {}
        }
        self.happen(cx, key);
        self.wait().await;
        match self.roll(10) {
            0 | 1 => Err(Trouble::NoAnswer),
            2 => panic!("struck by lightning"),
            3 => std::future::pending().await,
            _ => Ok(1),
        }
    }

    /// One look at what happened.
    async fn look(&self, key: &str) -> Result<Option<u32>, Trouble> {
        self.wait().await;
        match self.roll(8) {
            0 => return Err(Trouble::Down),
            1 => panic!("the glass is broken"),
            2 => std::future::pending().await,
            _ => {}
        }
        Ok(self.sky().effects.get(key).copied().filter(|count| *count > 0))
    }
}

/// Gives everybody else so many turns.
async fn turns(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

fn call_of(cx: &Cx) -> String {
    cx.correlation_id().unwrap_or_default().to_owned()
}

/// Do it once; a person finds out what nobody knows.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, max_total = 20, on = "retryable"),
    rollback = "none",
    state(Weather)
)]
async fn do_once(cx: &Cx, key: String) -> Result<u32, Trouble> {
    cx.state::<Weather>().act(cx, &key).await
}

/// Do it once; a function finds out what nobody knows.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, max_total = 20, on = "retryable"),
    rollback = "none",
    reconcile(with = "find_deed", settle = "1s"),
    state(Weather)
)]
async fn do_once_and_look(cx: &Cx, key: String) -> Result<u32, Trouble> {
    cx.state::<Weather>().act(cx, &key).await
}

async fn find_deed(asked: Asked<DoOnceAndLook>) -> Result<Option<u32>, Trouble> {
    asked.cx().state::<Weather>().look(&asked.args.key).await
}

/// Do it as often as it takes, whatever that does.
#[tool(
    side_effect = "write",
    idempotent(by = "nature"),
    retry(max = 3, max_total = 20, on = ["retryable", "side_effect_unknown"]),
    rollback = "none",
    state(Weather)
)]
async fn do_carelessly(cx: &Cx, key: String) -> Result<u32, Trouble> {
    cx.state::<Weather>().act(cx, &key).await
}

type Called = Result<u32, CallError<Trouble>>;

/// What one run of the simulation is made of.
struct Run {
    stage: Stage,
    weather: Weather,
    runtimes: Vec<Runtime>,
    dice: Dice,
    calls: BTreeMap<String, JoinHandle<Called>>,
    made: u32,
}

const TOOLS: [&str; 2] = ["do_once", "do_once_and_look"];
const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const STEPS: [Step; 5] =
    [Step::Admit, Step::Settle, Step::Renew, Step::BeginReconcile, Step::FinishReconcile];

impl Run {
    fn new(seed: u64) -> Self {
        let stage = Stage::before(World::default());
        let weather = Weather::new(seed ^ 0xABCD);
        let runtime =
            |lease| stage.builder().lease(secs(lease)).state(weather.clone()).build().unwrap();
        let runtimes = vec![runtime(15), runtime(15), runtime(3)];
        Self { stage, weather, runtimes, dice: Dice::new(seed), calls: BTreeMap::new(), made: 0 }
    }

    /// One thing that happens.
    async fn step(&mut self, tools: &[&str]) {
        match self.dice.roll(20) {
            0..7 => self.call(tools),
            7 => self.drop_a_call(),
            8..13 => {
                let times = 1 + self.dice.roll(8);
                self.pass(times).await;
            }
            // Everything stands still for a while.
            13 => self.stage.clock.advance(secs(1 + self.dice.roll(120))),
            14 | 15 => self.weather.blow(),
            16 => self.fail(),
            17 => self.stage.ledger.heal(),
            18 => self.ask_a_person().await,
            _ => turns(20).await,
        }
        turns(self.dice.roll(4)).await;
        self.hear().await;
    }

    /// Time goes by, so many times 400 ms.
    async fn pass(&self, times: u64) {
        for _ in 0..times {
            self.stage.clock.advance(ms(400));
            turns(6).await;
        }
    }

    fn call(&mut self, tools: &[&str]) {
        self.made += 1;
        let id = format!("call-{}", self.made);
        let (tool, key) = (self.dice.pick(tools), self.dice.pick(&KEYS));
        let runtime = self.dice.pick(&self.runtimes);
        let deadline =
            if self.dice.roll(3) == 0 { secs(1 + self.dice.roll(40)) } else { Duration::MAX };
        // Keys and effects are named alike, and each tool has its own.
        let name = format!("{tool}/{key}");
        macro_rules! made {
            ($call:expr) => {{
                let calling =
                    $call.key(&*name).correlation_id(&*id).deadline(deadline).call(&runtime);
                tokio::spawn(async move { calling.await.map(|done| done.into_inner()) })
            }};
        }
        let call = match tool {
            "do_once" => made!(do_once(name.clone())),
            "do_once_and_look" => made!(do_once_and_look(name.clone())),
            _ => made!(do_carelessly(name.clone())),
        };
        self.calls.insert(id, call);
    }

    fn drop_a_call(&mut self) {
        let ids: Vec<_> = self.calls.keys().cloned().collect();
        if !ids.is_empty() {
            let id = self.dice.pick(&ids);
            self.calls.remove(&id).unwrap().abort();
        }
    }

    fn fail(&mut self) {
        let (step, fault) =
            (self.dice.pick(&STEPS), self.dice.pick(&[Fault::Lost, Fault::ReplyLost]));
        let times = usize::try_from(1 + self.dice.roll(6)).unwrap();
        self.stage.ledger.fail(step, fault, times);
    }

    /// A person looks at what is unknown, and says what they see.
    async fn ask_a_person(&mut self) {
        let query = Query { state: Some(StateName::Unknown), ..Query::default() };
        let unknown = self.stage.ledger.inner().list(query).await.unwrap();
        let Some((id, _)) = unknown.into_iter().next() else { return };
        let happened = self.weather.sky().effects.contains_key(id.key.as_str());
        let resolved = if happened {
            Resolved::Happened { result: Arc::from("1") }
        } else {
            Resolved::DidNotHappen { holder_is_dead: false }
        };
        let resolution =
            Resolution { id, escalation: None, by: "ann".into(), why: "looked".into(), resolved };
        self.stage.ledger.inner().resolve(resolution).await.unwrap();
    }

    /// Hears what callers were told, and holds it against what happened.
    async fn hear(&mut self) {
        let done: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| call.is_finished())
            .map(|(id, _)| id.clone())
            .collect();
        for id in done {
            let told = self.calls.remove(&id).unwrap().await.expect("no call panics");
            self.is_true(&id, told);
        }
    }

    fn is_true(&self, id: &str, told: Called) {
        let deeds = self.weather.sky().calls.get(id).copied().unwrap_or_default();
        match told {
            Ok(_) => {}
            Err(CallError::Rejected(why)) => assert_eq!(deeds.attempts, 0, "{id} ran: {why}"),
            Err(CallError::Ledger(why)) => assert_eq!(deeds.attempts, 0, "{id} ran: {why}"),
            Err(CallError::Failed(why, _)) => {
                assert_eq!(deeds.effects, 0, "{id} had an effect: {why}")
            }
            Err(_) => {}
        }
    }

    /// The most effects under one key.
    fn worst(&self) -> u32 {
        self.weather.sky().effects.values().copied().max().unwrap_or_default()
    }

    /// Lets everything come to its end.
    async fn end(&mut self) {
        self.stage.ledger.heal();
        let runtimes = self.runtimes.clone();
        let drained = tokio::spawn(async move {
            for runtime in runtimes {
                runtime.drain().await;
            }
        });
        for _ in 0..200 {
            if self.calls.is_empty() && drained.is_finished() {
                return;
            }
            self.weather.blow();
            self.pass(5).await;
            self.hear().await;
        }
        panic!("something never ends: {:?}, drained: {}", self.calls.keys(), drained.is_finished());
    }

    /// Every history is whole, and what is said to have happened did.
    async fn check_records(&self) {
        let ledger = self.stage.ledger.inner();
        for (id, record) in ledger.list(Query::default()).await.unwrap() {
            let history = ledger.history(id.clone()).await.unwrap();
            verify(&history, &record.chain).unwrap();
            let effects =
                self.weather.sky().effects.get(id.key.as_str()).copied().unwrap_or_default();
            match record.state.name() {
                StateName::Succeeded => assert!(effects > 0, "{id} never happened"),
                StateName::Released | StateName::Exhausted => {
                    assert_eq!(effects, 0, "{id} happened")
                }
                _ => {}
            }
            assert!(record.attempts <= 20, "{id} had {} attempts", record.attempts);
        }
    }
}

fn simulate(seed: u64, steps: u32, tools: &[&str]) -> Run {
    fastrand::seed(seed);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut run = Run::new(seed);
        for _ in 0..steps {
            run.step(tools).await;
            if tools == TOOLS {
                assert!(run.worst() <= 1, "seed {seed}: {:?}", run.weather.sky().effects);
            }
        }
        run.end().await;
        run
    })
}

/// How many histories are tried; more with `SIMULATIONS=…`.
fn seeds() -> u64 {
    std::env::var("SIMULATIONS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(300)
}

#[test]
fn whatever_happens_nothing_happens_twice() {
    let mut happened = 0;
    for seed in 0..seeds() {
        let run = simulate(seed, 150, &TOOLS);
        assert!(run.worst() <= 1, "seed {seed}: {:?}", run.weather.sky().effects);
        happened += run.weather.sky().effects.len();
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(run.check_records());
    }
    assert!(happened as u64 > 4 * seeds(), "hardly anything ever happens: {happened}");
}

#[test]
fn a_tool_that_says_of_itself_that_repeating_it_is_harmless_is_repeated() {
    // The negative control: what is counted here can be more than one.
    let careless =
        (0..20).filter(|seed| simulate(*seed, 150, &["do_carelessly"]).worst() > 1).count();
    assert!(careless > 5, "only in {careless} of 20");
}
