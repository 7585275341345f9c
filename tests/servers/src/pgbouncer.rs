//! A private `PgBouncer` before a private PostgreSQL server.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Postgres;
use crate::postgres::{as_owner, free_port, is_root};

/// How long it may take to accept connections.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pooler in transaction mode; it stops when it is dropped.
pub struct PgBouncer {
    port: u16,
    child: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one with so many sessions of `server`; `None`, and a word about it,
    /// where it is not installed. It is never required.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start(server: &Postgres, sessions: u32) -> Option<Self> {
        let bin = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let Some(bin) = bin.iter().map(Path::new).find(|bin| bin.exists()) else {
            println!("skipped: PgBouncer is not installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("tool-contract-pgb-").tempdir();
        let folder = folder.expect("a temporary folder");
        let port = free_port();
        let users = folder.path().join("users");
        std::fs::write(&users, "\"tool\" \"\"\n").expect("a file");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={to}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\n\
             pool_mode = transaction\ndefault_pool_size = {sessions}\nmax_client_conn = 500\n",
            to = server.port(),
            users = users.display(),
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("a file");
        if is_root() {
            let owned = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status();
            assert!(owned.is_ok_and(|status| status.success()), "there is no user postgres");
        }
        let mut words = as_owner();
        words.push(bin.display().to_string());
        let (program, rest) = words.split_first().expect("it has a word");
        let child = Command::new(program)
            .args(rest)
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "PgBouncer does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { port, child, _folder: folder })
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
