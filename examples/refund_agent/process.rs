//! Processes that this one starts: this program again, in another role.
//!
//! None outlives it. Dropping one kills it; and if this process ends without
//! dropping anything, its end of their stdin closes, and they leave by
//! themselves.

use std::ffi::OsStr;
use std::process::Stdio;
use std::{env, io, process, thread};

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A process that this one started.
pub(crate) struct Process {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, says: BufReader::new(stdout).lines() })
    }

    /// The next line that it says.
    pub(crate) async fn line(&mut self) -> io::Result<String> {
        self.says.next_line().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Ends it at once, whatever it is doing: SIGKILL.
    pub(crate) async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }
}

/// Ends this process when the one that started it is gone.
pub(crate) fn leave_with_parent() {
    thread::spawn(|| {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        process::exit(1);
    });
}
