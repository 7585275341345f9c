//! Processes that share a ledger in PostgreSQL are killed, and so is the server,
//! at random, while they call and call.
//!
//! Effects are counted outside, in a file. None may be repeated, none forgotten;
//! of each that may have happened the ledger must say so.
//!
//! `TOOL_CONTRACT_KILL_CALLS=100000 cargo test -p tool-contract-tests --test
//! kill_postgres -- --nocapture` is the long form.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tool_contract_servers::Postgres;

const PROCESSES: usize = 4;
/// More than a lease: what was held by who was killed is free to be found out.
const LATER: Duration = Duration::from_secs(3);

/// How calls ended: how often each word was said, and of which keys it was said
/// that it happened.
#[derive(Default)]
struct Said {
    words: BTreeMap<String, u64>,
    happened: BTreeSet<u64>,
}

impl Said {
    fn hear(&mut self, line: &str) -> Option<(String, u64)> {
        let (word, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        *self.words.entry(word.to_owned()).or_default() += 1;
        if matches!(word, "ran" | "replayed") {
            self.happened.insert(number);
        }
        Some((word.to_owned(), number))
    }

    fn calls(&self) -> u64 {
        self.words.values().sum()
    }
}

struct Stage {
    folder: PathBuf,
    url: String,
    keys: u64,
    said: Arc<Mutex<Said>>,
}

impl Stage {
    fn new(url: String, keys: u64) -> Self {
        let name = format!("tool-contract-kill-{}-{keys}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, url, keys, said: Arc::default() }
    }

    fn spawn(&self, how: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_kill_worker_postgres"))
            .args([&self.url, self.folder.to_str().unwrap(), &self.keys.to_string(), how])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts a process whose words are heard.
    fn start(&self) -> Child {
        let mut child = self.spawn("forever");
        let (words, said) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&self.said));
        std::thread::spawn(move || {
            // The last line of who is killed may be cut: then it does not count.
            for line in words.split(b'\n').map_while(Result::ok) {
                said.lock().unwrap().hear(&String::from_utf8_lossy(&line));
            }
        });
        child
    }

    fn calls(&self) -> u64 {
        self.said.lock().unwrap().calls()
    }

    /// What is said of each key when all is quiet.
    fn ask_all(&self) -> BTreeMap<u64, String> {
        let mut child = self.spawn("once");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = lines.map(|line| {
            let (word, number) = self.said.lock().unwrap().hear(&line.unwrap()).unwrap();
            (number, word)
        });
        let heard = heard.collect();
        assert!(child.wait().unwrap().success());
        heard
    }

    /// How often each effect happened.
    fn effects(&self) -> BTreeMap<u64, u64> {
        let mut effects = BTreeMap::new();
        for line in std::fs::read_to_string(self.folder.join("effects")).unwrap().lines() {
            *effects.entry(line.parse().unwrap()).or_default() += 1;
        }
        effects
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Kills processes and the server until so many calls were made.
fn trouble(stage: &Stage, server: &Postgres, calls: u64) -> (u32, u32) {
    let begun = Instant::now();
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| stage.start()).collect();
    let (mut kills, mut crashes) = (0, 0);
    while stage.calls() < calls || crashes < 2 {
        assert!(begun.elapsed() < Duration::from_secs(3_600), "it takes too long");
        std::thread::sleep(Duration::from_millis(fastrand::u64(100..600)));
        let at = fastrand::usize(..PROCESSES);
        end(std::mem::replace(&mut processes[at], stage.start()));
        kills += 1;
        if fastrand::u8(..6) == 0 {
            server.kill9();
            server.restart();
            crashes += 1;
        }
    }
    processes.into_iter().for_each(end);
    (kills, crashes)
}

#[test]
fn effects_are_neither_repeated_nor_forgotten() {
    let Some(server) = Postgres::start() else { return };
    let set = std::env::var("TOOL_CONTRACT_KILL_CALLS").ok().map(|set| set.parse().unwrap());
    let calls: u64 = set.unwrap_or(4_000);
    let stage = Stage::new(server.url(), calls / 4);
    let (kills, crashes) = trouble(&stage, &server, calls);
    std::thread::sleep(LATER);
    let last = stage.ask_all();
    let effects = stage.effects();
    let records =
        server.psql("SELECT substr(key, 5) || ' ' || state FROM tool_contract.operations");
    let records: BTreeMap<u64, &str> = records
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(number, state)| (number.parse().unwrap(), state))
        .collect();

    let said = stage.said.lock().unwrap();
    let of = |number: &u64| effects.get(number).copied().unwrap_or(0);
    let duplicates: Vec<_> = effects.iter().filter(|(_, times)| **times > 1).collect();
    let lost: Vec<_> = said.happened.iter().filter(|number| of(number) == 0).collect();
    let unknown: Vec<_> = last.iter().filter(|(_, word)| *word == "unknown").collect();
    println!("{} calls under {} keys: {:?}", said.calls(), stage.keys, said.words);
    println!("{kills} processes killed, the server {crashes} times");
    println!("{} effects, {} repeated, {} lost", effects.len(), duplicates.len(), lost.len());
    println!("{} unknown; of each, how often it happened:", unknown.len());
    let each = unknown.iter().map(|(number, _)| format!("key-{number}: {}", of(number)));
    println!("{}", each.collect::<Vec<_>>().join(", "));

    assert_eq!((duplicates, lost), (Vec::new(), Vec::new()));
    for (number, word) in &last {
        match word.as_str() {
            "ran" | "replayed" => assert_eq!((of(number), records[number]), (1, "succeeded")),
            "unknown" => assert!(!said.happened.contains(number), "key-{number} had succeeded"),
            other => panic!("key-{number} is {other} in the end"),
        }
    }
    // Nothing happened that was not admitted.
    assert!(effects.keys().all(|number| records.contains_key(number)));
}

/// The counter counts: without a ledger in common there are duplicates.
#[test]
fn without_a_ledger_in_common_effects_are_repeated() {
    let stage = Stage::new("-".to_owned(), 10);
    stage.ask_all();
    stage.ask_all();
    assert!(stage.effects().values().all(|times| *times == 2));
}
