//! What a ledger in a file adds: answers that take their time, on other
//! threads, shared with others.

use std::path::PathBuf;
use std::sync::Arc;

use tool_contract::Runtime;
use tool_contract::ledger::SqliteLedger;
use tool_contract::testing::{Fault, ManualClock};

use crate::faults::{Kind, STEPS, fault_on};
use crate::stage::{Ending, Stage, id};
use crate::tools::charge;
use crate::world::{Act, Gate, Trouble, World};

/// A file for one test, gone when it ends.
struct File(PathBuf);

impl File {
    fn new(test: &str) -> Self {
        let name = format!("{test}-{}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::remove_dir_all(&directory).ok();
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    async fn open(&self) -> SqliteLedger {
        SqliteLedger::open(self.0.join("ledger.db")).await.unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A runtime of a process of its own.
async fn runtime(file: &File, world: &World) -> Runtime {
    Runtime::builder().ledger(file.open().await).state(world.clone()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_calls_at_once_on_many_threads_one_runs() {
    let (file, world) = (File::new("many"), World::default());
    let runtimes = [runtime(&file, &world).await, runtime(&file, &world).await];
    let gate = Gate::new();
    world.then(gate.within(Act::Succeed));
    let call = |n: usize| tokio::spawn(charge("o".into(), 1).key("k").call(&runtimes[n % 2]));
    let calls: Vec<_> = (0..24).map(call).collect();
    gate.reached_by_thread().await;
    gate.open();
    let mut fresh = 0;
    for call in calls {
        fresh += u32::from(!call.await.unwrap().unwrap().replayed());
    }
    assert_eq!((fresh, world.attempts(), world.effects()), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_dropped_anywhere_is_finished_and_recorded() {
    let (file, world) = (File::new("dropped"), World::default());
    let runtime = runtime(&file, &world).await;
    for n in 0..40 {
        let key = format!("k{n}");
        let call = tokio::spawn(charge(key.clone(), 1).key(&*key).call(&runtime));
        // It is dropped after so many turns of this thread, wherever it is then.
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        call.abort();
    }
    runtime.drain().await;
    for n in 0..40 {
        let key = format!("k{n}");
        let effects = world.effects_of(&key);
        charge(key.clone(), 1).key(&*key).call(&runtime).await.unwrap();
        assert_eq!(world.effects_of(&key), 1, "{key}, after {effects}");
    }
}

#[tokio::test]
async fn a_restart_on_the_file_replays_and_knows_what_is_unknown() {
    let (file, world) = (File::new("restart"), World::default());
    world.then(Act::Succeed).then(Act::HappenThenFail(Trouble::NoAnswer));
    let first = runtime(&file, &world).await;
    charge("o".into(), 1).key("k1").call(&first).await.unwrap();
    let unknown = charge("p".into(), 1).key("k2").call(&first).await.unknown();
    drop(first);
    let second = runtime(&file, &world).await;
    assert!(charge("o".into(), 1).key("k1").call(&second).await.unwrap().replayed());
    let again = charge("p".into(), 1).key("k2").call(&second).await.unknown();
    assert_eq!(again.escalation, unknown.escalation);
    assert_eq!(world.effects(), 2);
    let ledger = second.ledger().unwrap();
    let record = ledger.find(id("charge", "k1")).await.unwrap().unwrap();
    let history = ledger.history(id("charge", "k1")).await.unwrap();
    tool_contract::ledger::verify(&history, &record.chain).unwrap();
}

#[tokio::test]
async fn no_fault_at_any_step_makes_anything_happen_twice() {
    let file = File::new("faults");
    let acts = [Act::Succeed, Act::HappenThenFail(Trouble::NoAnswer)];
    let mut number = 0;
    for kind in [Kind::Charge, Kind::Book] {
        for step in STEPS {
            for fault in [Fault::Lost, Fault::ReplyLost] {
                for act in &acts {
                    number += 1;
                    let clock = Arc::new(ManualClock::new());
                    let options = SqliteLedger::options().clock(Arc::clone(&clock) as _);
                    let ledger = options.open(file.0.join(format!("{number}.db"))).await.unwrap();
                    let stage = Stage::on(clock, ledger, World::default());
                    fault_on(&stage, kind, step, fault, 1 + number % 4, act.clone()).await;
                }
            }
        }
    }
}
