//! A private Redis.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::skip;

const BINARY: &str = "redis-server";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Redis of its own: on loopback and a free port, in a temporary folder. It
/// syncs every write, unless told otherwise. It ends when this is dropped.
pub struct Redis {
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    process: Option<Child>,
}

impl Redis {
    /// Starts one; `None`, with a word of it, where none is installed.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Starts one with these settings over the usual ones.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with(settings: &[(&str, &str)]) -> Option<Self> {
        let is_installed =
            Command::new(BINARY).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !is_installed {
            skip(BINARY);
            return None;
        }
        let mut all = vec![
            ("appendonly".to_owned(), "yes".to_owned()),
            ("appendfsync".to_owned(), "always".to_owned()),
        ];
        for (name, value) in settings {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("tool-contract-redis-").tempdir().unwrap();
        let mut redis = Self { folder, port: free_port(), settings: all, process: None };
        redis.launch();
        Some(redis)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Kills it (SIGKILL): what it had not given to the operating system is gone.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill9(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Starts it again in the same place, after it has ended.
    ///
    /// # Panics
    /// If it runs, or does not start.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs");
        self.launch();
    }

    /// Puts an empty one in its place, as a failover to a replica that knew nothing
    /// does.
    ///
    /// # Panics
    /// If it does not start.
    pub fn replace(&mut self) {
        self.kill9();
        std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).ok();
        self.launch();
    }

    /// Takes all its data.
    ///
    /// # Panics
    /// If it refuses.
    pub fn flush(&self) {
        assert_eq!(self.ask(&["FLUSHALL"]), "+OK");
    }

    /// Asks a command, and gives the first line of the answer, or the text of a
    /// longer one.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words).expect("an answer")
    }

    fn try_ask(&self, words: &[&str]) -> std::io::Result<String> {
        let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        line.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        line.write_all(request.as_bytes())?;
        let mut answer = BufReader::new(line);
        let mut first = String::new();
        answer.read_line(&mut first)?;
        let first = first.trim_end().to_owned();
        let Some(length) = first.strip_prefix('$').and_then(|length| length.parse().ok()) else {
            return Ok(first);
        };
        let mut text = vec![0; length];
        answer.read_exact(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn launch(&mut self) {
        for _ in 0..5 {
            let mut process = self.command().spawn().unwrap();
            if self.is_up(&mut process) {
                self.process = Some(process);
                return;
            }
            // Somebody was faster to take the port.
            self.port = free_port();
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        panic!("{BINARY} does not start: {log}");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &self.port.to_string(),
            "--daemonize",
            "no",
        ]);
        command.args(["--dir", &self.folder.path().display().to_string(), "--save", ""]);
        command.args(["--logfile", &self.log().display().to_string()]);
        for (name, value) in &self.settings {
            command.args([&format!("--{name}"), value]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Waits until it answers; it is not up if its process has ended.
    fn is_up(&self, process: &mut Child) -> bool {
        let begun = Instant::now();
        loop {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            // One that wants a password or is being set up as a replica is up, too.
            let is_loading = |answer: &String| answer.is_empty() || answer.starts_with("-LOADING");
            if self.try_ask(&["PING"]).is_ok_and(|answer| !is_loading(&answer)) {
                return true;
            }
            assert!(begun.elapsed() < PATIENCE, "{BINARY} does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
