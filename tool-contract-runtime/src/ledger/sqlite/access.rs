//! Who may read and write the files that are made here: their owner. They hold
//! arguments and results, and whoever can write them can settle what he likes.
//!
//! A file that is there already keeps its mode, and what lies beside it follows:
//! so people who share a ledger say so by making the file first.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes an empty file for a ledger, unless there is one.
///
/// SQLite gives the log and its index the mode of the file. One that is there is
/// not even opened: to close it again would drop the locks that other
/// connections of this process have on it.
pub(super) fn make(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    match with_mode(&mut options, OWNER_ONLY).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens the file at `side`, which lies beside `file`, or makes it.
pub(super) fn open_beside(file: &Path, side: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    with_mode(&mut options, mode(file).unwrap_or(OWNER_ONLY)).open(side)
}

const OWNER_ONLY: u32 = 0o600;

#[cfg(unix)]
fn with_mode(options: &mut OpenOptions, mode: u32) -> &OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(mode)
}

#[cfg(unix)]
fn mode(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).ok().map(|metadata| metadata.permissions().mode() & 0o666)
}

/// Elsewhere a new file is as private as its directory.
#[cfg(not(unix))]
fn with_mode(options: &mut OpenOptions, _mode: u32) -> &OpenOptions {
    options
}

#[cfg(not(unix))]
fn mode(_file: &Path) -> Option<u32> {
    None
}
