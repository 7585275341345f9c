//! Several ledgers on one file: in one process, and in several.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;

use super::*;
use crate::ledger::conformance::settle_down;
use crate::ledger::{BoxFuture, Holder, Refusal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ledgers_on_one_file_are_one() {
    let place = Place::new();
    let (a, b) = (Arc::new(place.open().await), Arc::new(place.open().await));
    let mut calls = JoinSet::new();
    for number in 0..100_u128 {
        for (holder, ledger) in [(1, &a), (2, &b)] {
            let request =
                Admission { holder: Holder(holder), ..call(number, &key(&format!("k{number}"))) };
            let ledger = Arc::clone(ledger);
            calls.spawn(async move { ledger.admit(&request).await.unwrap() });
        }
    }
    let answers = calls.join_all().await;
    let fence = |answer: &Admitted| match answer {
        Admitted::Claimed(claim) => Some(claim.fence),
        Admitted::Refused(Refusal::InFlight { .. }) => None,
        other => panic!("{other:?}"),
    };
    let mut fences: Vec<_> = answers.iter().filter_map(fence).collect();
    assert_eq!(fences.len(), 100);
    fences.sort();
    fences.dedup();
    assert_eq!(fences.len(), 100);
    check(&a).await;
    check(&b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_sees_what_another_process_did() {
    let place = Place::new();
    // Another ledger rings no bell here: it stands for another process.
    let (a, b) = (place.open().await, place.open().await);
    let held = claim(&a, call(1, &key("k"))).await;
    let mut waiting = b.changed(key("k"), Duration::from_hours(1));
    settle_down(&b, &mut waiting).await;
    settle(&a, "k", held.fence, happened("7")).await.unwrap();
    let is_over = async |waiting: &mut BoxFuture<'_, ()>| {
        std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await
    };
    // Far less than it waits for, and often enough for it to look.
    for _ in 0..100 {
        if is_over(&mut waiting).await {
            return;
        }
        place.clock.advance(Duration::from_millis(250));
        b.find(key("k")).await.unwrap();
    }
    panic!("it waits on");
}

/// Tells a child process which file it shares, and what it is.
const FILE: &str = "TOOL_CONTRACT_TEST_LEDGER";
const ROLE: &str = "TOOL_CONTRACT_TEST_ROLE";

const KEYS: usize = 60;

/// Not a test: what a child process does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let role = std::env::var(ROLE).unwrap();
    let ledger = Arc::new(SqliteLedger::open(file).await.unwrap());
    let mut calls = JoinSet::new();
    for number in 0..KEYS {
        // A few at once, so that commits are shared, but not one with all.
        if calls.len() == 8 {
            calls.join_next().await;
        }
        let (ledger, role) = (Arc::clone(&ledger), role.clone());
        let request = Admission {
            holder: Holder(u128::from(std::process::id())),
            ..call(7, &key(&format!("k{number}")))
        };
        calls.spawn(async move {
            if let Admitted::Claimed(claim) = ledger.admit(&request).await.unwrap() {
                // The effect: it stands in the output, whatever becomes of us.
                println!("effect k{number} {}", claim.fence.0);
                if role == "dies" && number == KEYS / 2 {
                    std::process::abort();
                }
                settle(&ledger, &format!("k{number}"), claim.fence, happened(&role)).await.unwrap();
            }
        });
    }
    calls.join_all().await;
}

fn spawn_child(place: &Place, role: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::sqlite::tests::sharing::child", "--nocapture"])
        .env(FILE, place.file())
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The fence of each effect, by key.
fn effects(outputs: &[String]) -> BTreeMap<String, Vec<u64>> {
    let mut effects = BTreeMap::<_, Vec<_>>::new();
    for line in outputs.iter().flat_map(|output| output.lines()) {
        // The harness writes into the same lines.
        if let Some((_, effect)) = line.split_once("effect ")
            && let Some((key, fence)) = effect.split_once(' ')
        {
            effects.entry(key.to_owned()).or_default().push(fence.parse().unwrap());
        }
    }
    effects
}

async fn run_children(roles: &[&str]) -> (Place, BTreeMap<String, Vec<u64>>) {
    let place = Place::new();
    let children: Vec<_> = roles.iter().map(|role| spawn_child(&place, role)).collect();
    let outputs: Vec<_> = children
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let ledger = SqliteLedger::open(place.file()).await.unwrap();
    check(&ledger).await;
    (place, effects(&outputs))
}

#[tokio::test]
async fn processes_that_share_a_file_do_each_thing_once() {
    let (place, effects) = run_children(&["lives", "lives", "lives"]).await;
    assert_eq!(effects.len(), KEYS);
    let ledger = SqliteLedger::open(place.file()).await.unwrap();
    for (name, fences) in &effects {
        assert_eq!(fences.len(), 1, "{name}: {fences:?}");
        assert_eq!(record(&ledger, name).await.fence, Fence(fences[0]));
    }
}

#[tokio::test]
async fn a_process_that_dies_takes_nobody_along() {
    let (place, effects) = run_children(&["dies", "lives"]).await;
    assert!(effects.values().all(|fences| fences.len() == 1), "{effects:?}");
    // What the dead one held and had not begun, nobody did.
    assert!(effects.len() > KEYS - 8, "the other did the rest: {}", effects.len());
    let ledger = SqliteLedger::open(place.file()).await.unwrap();
    for number in 0..KEYS {
        let next = admit(&ledger, 99, &format!("k{number}")).await.unwrap();
        assert!(!matches!(next, Admitted::Claimed(_)), "k{number}: {next:?}");
    }
}
