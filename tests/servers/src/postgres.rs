//! A private PostgreSQL server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a server may take to accept connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// The script that keeps the server. It does as it is told on its standard
/// input, and when that ends, because the test did or was killed, it stops the
/// server and removes the folder.
const KEEPER: &str = r#"
while read -r word; do
    case "$word" in
        start) "$@" >>"$FOLDER/log" 2>&1 & server=$! ;;
        kill) kill -KILL "$server"; wait "$server" 2>/dev/null ;;
    esac
    echo done
done
kill -QUIT "$server" 2>/dev/null && wait "$server" 2>/dev/null
rm -rf "$FOLDER"
"#;

/// A private PostgreSQL server; it stops when it is dropped, and when the test
/// ends in any other way.
pub struct Postgres {
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
    keeper: Mutex<Keeper>,
}

struct Keeper {
    child: Child,
    /// Gone only while it is dropped.
    orders: Option<ChildStdin>,
    reports: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts a server with settings as they are by default; `None`, and a word
    /// about it, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with these settings, each as `name=value`.
    ///
    /// # Panics
    /// If PostgreSQL is installed and does not start.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(bin) = bin() else {
            crate::skip("PostgreSQL");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("tool-contract-pg-").tempdir();
        let folder = folder.expect("a temporary folder").keep();
        make(&bin, &folder);
        let port = free_port();
        let keeper = Mutex::new(Keeper::new(&bin, &folder, port, settings));
        let server = Self { folder, bin, port, keeper };
        server.restart();
        Some(server)
    }

    /// A URL of its database `postgres`, as its owner.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same, where the server is reached through another port.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://tool@127.0.0.1:{port}/postgres")
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its folder; it holds the data in `data`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives a file in its folder to the server alone.
    ///
    /// # Panics
    /// If that is not to be had.
    pub fn own(&self, file: &Path) {
        let mut changes = vec![("chmod", "600")];
        if is_root() {
            changes.push(("chown", "postgres:postgres"));
        }
        for (program, to) in changes {
            let changed = Command::new(program).arg(to).arg(file).status();
            assert!(changed.is_ok_and(|status| status.success()), "{program} {to}");
        }
    }

    /// Kills the server (SIGKILL); its sessions end with it.
    ///
    /// # Panics
    /// If its keeper is gone.
    pub fn kill9(&self) {
        self.order("kill");
    }

    /// Starts the server after [`kill9`](Self::kill9), and waits until it takes
    /// connections.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&self) {
        // The sessions of a killed server may take a moment to end, and until
        // then it does not start.
        let begun = Instant::now();
        let mut known = self.log().len();
        self.order("start");
        while !self.is_ready() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
            let log = self.log();
            if log[known.min(log.len())..].contains("is still in use") {
                known = log.len();
                self.order("start");
            }
        }
    }

    /// Runs statements with `psql`, and gives what it printed, bare.
    ///
    /// # Panics
    /// If one fails.
    pub fn psql(&self, statements: &str) -> String {
        let output = Command::new(self.bin.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--dbname", &self.url(), "--command", statements])
            .output()
            .expect("psql runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let asked = Command::new(self.bin.join("pg_isready"))
            .args(["--quiet", "--host", "127.0.0.1", "--port", &port])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn order(&self, word: &str) {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).order(word);
    }
}

impl Keeper {
    fn new(bin: &Path, folder: &Path, port: u16, settings: &[&str]) -> Self {
        let own = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=64MB".to_owned(),
        ];
        let settings = own.iter().map(String::as_str).chain(settings.iter().copied());
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]);
        keeper.args(as_owner()).arg(bin.join("postgres")).arg("-D").arg(folder.join("data"));
        keeper.args(settings.flat_map(|setting| ["-c", setting])).env("FOLDER", folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = keeper.spawn().expect("sh runs");
        let orders = child.stdin.take();
        let reports = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, orders, reports }
    }

    fn order(&mut self, word: &str) {
        let orders = self.orders.as_mut().expect("it is there until it is dropped");
        writeln!(orders, "{word}").expect("the keeper lives");
        let mut report = String::new();
        self.reports.read_line(&mut report).expect("the keeper lives");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// A port on 127.0.0.1 that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has an address").port()
}

/// Where the binaries are.
fn bin() -> Option<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").output().ok();
    let told = asked.filter(|output| output.status.success()).map(|output| output.stdout);
    let told = told.and_then(|told| String::from_utf8(told).ok());
    let debian = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut bins: Vec<_> =
            versions.flatten().map(|version| version.path().join("bin")).collect();
        bins.sort();
        bins.pop()
    };
    let found = told.map(|told| PathBuf::from(told.trim())).into_iter().chain(debian());
    found.into_iter().find(|bin| bin.join("postgres").exists())
}

/// The server refuses to run as root: then it runs as `postgres`.
pub(crate) fn as_owner() -> Vec<String> {
    if is_root() {
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
            .map(str::to_owned)
            .to_vec()
    } else {
        Vec::new()
    }
}

pub(crate) fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Makes the data of a new server in `folder`.
fn make(bin: &Path, folder: &Path) {
    if is_root() {
        let owned = Command::new("chown").arg("postgres:postgres").arg(folder).status();
        assert!(owned.is_ok_and(|status| status.success()), "there is no user postgres");
    }
    let mut words = as_owner();
    words.push(bin.join("initdb").display().to_string());
    let (program, rest) = words.split_first().expect("it has a word");
    let output = Command::new(program)
        .args(rest)
        .args(["--no-sync", "--auth=trust", "--username=tool", "--encoding=UTF8", "--no-locale"])
        .arg("-D")
        .arg(folder.join("data"))
        .current_dir(folder)
        .output()
        .expect("initdb runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "initdb: {told}");
}
