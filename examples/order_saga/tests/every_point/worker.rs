//! A worker, as its parent sees it.

use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What a worker said at its end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// How its call ended.
    pub(super) ended: String,
    pub(super) why: String,
    /// How many orders it recovered itself.
    pub(super) ran: usize,
    /// How many it took up that are not at their end.
    pub(super) open: usize,
    /// The step of the ledger at which it was struck.
    pub(super) struck: Option<String>,
    /// What waits for a person.
    pub(super) queue: Vec<String>,
}

/// What a worker says.
#[derive(Debug)]
pub(super) enum Line {
    /// It stands still there.
    At(String),
    Ended(Said),
}

/// A process.
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts one; it waits for [`go`](Self::go).
    pub(super) async fn start(arguments: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_order_worker"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut worker = Self { child, stdin, says };
        assert_eq!(worker.says.next_line().await.unwrap().as_deref(), Some("ready"));
        worker
    }

    pub(super) async fn go(&mut self) {
        self.stdin.write_all(b"go\n").await.unwrap();
    }

    pub(super) async fn line(&mut self) -> Line {
        let line = self.says.next_line().await.unwrap().expect("a worker says how it ends");
        match line.strip_prefix("at ") {
            Some(step) => Line::At(step.to_owned()),
            None => Line::Ended(serde_json::from_str(&line).unwrap()),
        }
    }

    pub(super) async fn ended(&mut self) -> Said {
        match self.line().await {
            Line::Ended(said) => said,
            Line::At(step) => panic!("it stands still at {step}"),
        }
    }

    /// SIGKILL.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
