//! Workers on one ledger, and who kills them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tool_contract::ledger::Ledger;
use tool_contract_tests::shared::{World, open};

use super::place::Place;
use super::said::Said;

const WORKERS: usize = 3;

/// How many calls are made between two killings, at most.
const MOST_BETWEEN: u64 = 250;

/// How often somebody was killed.
#[derive(Default)]
struct Killed {
    workers: u64,
    /// How many of them in the middle of a transaction that writes, where it can
    /// be seen.
    writing: u64,
    servers: u64,
}

pub(crate) struct Site {
    place: Place,
    folder: TempDir,
    calls: u64,
    said: Arc<Mutex<Said>>,
    workers: Vec<Worker>,
    random: fastrand::Rng,
    killed: Killed,
}

impl Site {
    /// Workers that make so many calls, each of them a few times.
    pub(crate) fn new(place: Place, calls: u64) -> Self {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut site = Self {
            place,
            folder: TempDir::new().unwrap(),
            calls,
            said: Arc::default(),
            workers: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            killed: Killed::default(),
        };
        for _ in 0..WORKERS {
            site.start();
        }
        site
    }

    /// How many keys each of the two tools is called under.
    pub(crate) fn keys(&self) -> u64 {
        (self.calls / 8).max(1)
    }

    pub(crate) fn world(&self) -> World {
        World::new(self.folder.path())
    }

    pub(crate) fn said(&self) -> Said {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn summary(&self) -> String {
        let (name, said) = (self.place.name(), self.said());
        let Killed { workers, writing, servers } = self.killed;
        format!(
            "{name}: {} calls {:?}; killed {workers} workers ({writing} seen in mid-transaction) \
             and {servers} servers",
            said.answered(),
            said.words
        )
    }

    /// Kills one after the other until all calls are made, and then all.
    pub(crate) fn kill_until_all_is_said(&mut self) {
        while self.answered() < self.calls {
            self.wait_for_some_calls();
            if self.place.has_server() && self.random.u8(..12) == 0 {
                self.kill_server();
            } else {
                self.kill_worker();
                self.start();
            }
        }
        while !self.workers.is_empty() {
            self.kill_worker();
        }
        if self.place.has_server() {
            self.kill_server();
        }
    }

    /// Waits by calls and not by time, so that much is done between the killings
    /// however slow all is.
    fn wait_for_some_calls(&mut self) {
        let enough = self.answered() + self.random.u64(..MOST_BETWEEN);
        while self.answered() < enough.min(self.calls) {
            std::thread::sleep(Duration::from_millis(self.random.u64(1..10)));
        }
    }

    fn answered(&self) -> u64 {
        self.said.lock().unwrap().answered()
    }

    /// Lets one last worker make each call once more, in peace.
    pub(crate) fn ask_each_again(&mut self) {
        self.worker("each").end();
    }

    /// The ledger, opened anew.
    pub(crate) async fn reopened(&self) -> Arc<dyn Ledger> {
        open(&self.place.address()).await.unwrap()
    }

    fn start(&mut self) {
        let seed = self.random.u64(..).to_string();
        self.workers.push(self.worker(&seed));
    }

    fn worker(&self, seed: &str) -> Worker {
        let (folder, keys) = (self.folder.path().to_str().unwrap(), self.keys().to_string());
        Worker::start(&[&self.place.address(), folder, &keys, seed], &self.said)
    }

    /// Kills the one who writes just now, if that can be seen, or any.
    fn kill_worker(&mut self) {
        let writing = self.workers.iter().position(|worker| self.place.is_writing(worker.id()));
        let which = writing.unwrap_or_else(|| self.random.usize(..self.workers.len()));
        let worker = self.workers.swap_remove(which);
        worker.freeze();
        self.killed.writing += u64::from(self.place.is_writing(worker.id()));
        self.killed.workers += 1;
    }

    fn kill_server(&mut self) {
        self.place.kill_server();
        self.killed.servers += 1;
    }
}

/// A process that makes calls; it is killed (SIGKILL) when this is dropped.
struct Worker {
    process: Child,
    listener: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(arguments: &[&str], said: &Arc<Mutex<Said>>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shared_worker"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, said) = (process.stdout.take().unwrap(), Arc::clone(said));
        let listener = std::thread::spawn(move || listen(lines, &said));
        Self { process, listener: Some(listener) }
    }

    fn id(&self) -> u32 {
        self.process.id()
    }

    /// Stops it where it is.
    fn freeze(&self) {
        let told = Command::new("kill").args(["-STOP", &self.id().to_string()]).status();
        assert!(told.unwrap().success());
    }

    /// Waits until it has ended by itself.
    fn end(mut self) {
        // Its input stays open: it would end with that.
        let input = self.process.stdin.take();
        assert!(self.process.wait().unwrap().success());
        drop(input);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        // What it has said counts, to the last line.
        let heard = self.listener.take().map(JoinHandle::join);
        assert!(heard.is_none_or(|heard| heard.is_ok()) || std::thread::panicking());
    }
}

fn listen(lines: ChildStdout, said: &Mutex<Said>) {
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        said.lock().unwrap().take(&line);
    }
}
