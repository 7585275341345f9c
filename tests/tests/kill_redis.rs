//! Workers and their Redis are killed at random moments, again and again; no
//! effect happens twice.
//!
//! Effects are counted outside, in a file that is synced for each. It makes 8,000
//! calls; `TOOL_CONTRACT_KILL_CALLS` sets another number.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tool_contract_servers::Redis;

const WORKERS: usize = 3;

/// What all workers have said, a count for each word and key.
#[derive(Default)]
struct Said {
    words: HashMap<String, u64>,
    successes: HashMap<u64, u64>,
    all: u64,
}

impl Said {
    fn take(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(word), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) else {
            return;
        };
        assert_ne!(word, "error", "{line}");
        *self.words.entry(word.to_owned()).or_default() += 1;
        self.all += 1;
        if word == "ran" || word == "replayed" {
            *self.successes.entry(number).or_default() += u64::from(word == "ran");
        }
    }
}

/// Workers on one ledger, and what they do to the world.
struct Site {
    folder: TempDir,
    address: String,
    keys: u64,
    said: Arc<Mutex<Said>>,
    workers: Vec<Child>,
    random: fastrand::Rng,
}

impl Site {
    fn new(address: String, calls: u64) -> Self {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut site = Self {
            folder: TempDir::new().unwrap(),
            address,
            // Each key is called a few times.
            keys: (calls / 4).max(1),
            said: Arc::default(),
            workers: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
        };
        for _ in 0..WORKERS {
            site.start();
        }
        site
    }

    fn effects(&self) -> PathBuf {
        self.folder.path().join("effects")
    }

    fn start(&mut self) {
        let (seed, keys) = (self.random.u64(..).to_string(), self.keys.to_string());
        let mut worker = Command::new(env!("CARGO_BIN_EXE_shared_worker"))
            .args([&self.address, self.folder.path().to_str().unwrap(), &seed, &keys])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, said) = (BufReader::new(worker.stdout.take().unwrap()), Arc::clone(&self.said));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                said.lock().unwrap().take(&line);
            }
        });
        self.workers.push(worker);
    }

    /// Kills (SIGKILL) one of the workers, and starts another.
    fn kill_one(&mut self) {
        let mut worker = self.workers.swap_remove(self.random.usize(..self.workers.len()));
        worker.kill().unwrap();
        worker.wait().unwrap();
        self.start();
    }

    fn has_made(&self, calls: u64) -> bool {
        self.said.lock().unwrap().all >= calls
    }

    fn pause(&mut self) {
        std::thread::sleep(Duration::from_millis(self.random.u64(20..200)));
    }

    /// How often each effect happened.
    fn count(&mut self) -> HashMap<u64, u64> {
        for mut worker in self.workers.drain(..) {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        let mut counts = HashMap::new();
        let effects = std::fs::read_to_string(self.effects()).unwrap_or_default();
        for number in effects.lines().map(|line| line.parse().unwrap()) {
            *counts.entry(number).or_default() += 1;
        }
        counts
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.kill().ok();
            worker.wait().ok();
        }
    }
}

fn calls() -> u64 {
    let set = std::env::var("TOOL_CONTRACT_KILL_CALLS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(8_000)
}

#[test]
fn no_effect_happens_twice_whoever_is_killed() {
    let Some(mut server) = Redis::start() else { return };
    let calls = calls();
    let mut site = Site::new(server.url(), calls);
    let (mut workers, mut servers) = (0, 0);
    while !site.has_made(calls) {
        site.pause();
        if site.random.u8(..4) == 0 {
            server.kill9();
            server.restart();
            servers += 1;
        } else {
            site.kill_one();
            workers += 1;
        }
    }
    let counts = site.count();
    let said = site.said.lock().unwrap();
    println!("{workers} workers and {servers} servers were killed; {:?}", said.words);
    for (number, count) in &counts {
        assert_eq!(*count, 1, "effect {number}");
    }
    for (number, ran) in &said.successes {
        assert!(counts.contains_key(number), "{number} was reported, and did not happen");
        assert!(*ran <= 1, "{number} was reported to have run {ran} times");
    }
    assert!(counts.len() as u64 > calls / 16, "too little was tried");
}

/// Where processes share no ledger the same run does find duplicates: the
/// counter counts.
#[test]
fn the_counter_finds_duplicates_where_no_ledger_is_shared() {
    let mut site = Site::new("memory".to_owned(), 2_000);
    while !site.has_made(2_000) {
        site.pause();
        site.kill_one();
    }
    assert!(site.count().values().any(|count| *count > 1));
}
