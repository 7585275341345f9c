//! Keys in files.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tool_contract_runtime::approval::{Approvers, PrivateKey};
use tool_contract_runtime::ledger::Trust;
use zeroize::Zeroizing;

use crate::args::Trusted;
use crate::operator::{Kind, Problem};

/// Names the file of those who are trusted, where the command line does not.
const APPROVERS: &str = "TOOL_CONTRACT_APPROVERS";

/// What is said where nobody named them.
pub(super) const UNTOLD: &str = "whose yes counts is not known here: name the file with the public lines of those whom \
                                 programs trust, `--approvers FILE` or TOOL_CONTRACT_APPROVERS";

/// The longest file that is read as a key.
const LONGEST: usize = 1_024;

fn problem(path: &Path, what: &str) -> Problem {
    Problem::new(Kind::Usage, format!("{}: {what}", path.display()))
}

/// Writes a private key into a file that was not there, for its owner alone.
pub(super) fn write(path: &Path, key: &PrivateKey) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.secret_line().as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let told = problem(path, &format!("the key cannot be written: {error}"));
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            told.help("no key is ever overwritten: name another file")
        } else {
            told
        }
    })
}

/// Reads a private key that is its owner's alone.
pub(super) fn read(path: &Path) -> Result<PrivateKey, Problem> {
    let unreadable = |error: std::io::Error| problem(path, &format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata().map_err(unreadable)?.permissions())
        & 0o077
        != 0
    {
        return Err(problem(path, "others than its owner may read this key")
            .help("make it yours alone, `chmod 600`, or make a new one if others may have it"));
    }
    let mut line = Zeroizing::new(String::with_capacity(LONGEST));
    file.take(LONGEST as u64).read_to_string(&mut line).map_err(unreadable)?;
    PrivateKey::read(&line).map_err(|why| problem(path, &why.to_string()))
}

/// Reads the private key with which `name` signs: among those whom programs trust, it
/// is theirs and nobody else's.
pub(super) fn of(
    name: &str,
    path: &Path,
    approvers: Option<&Approvers>,
) -> Result<PrivateKey, Problem> {
    let key = read(path)?;
    let Some(approvers) = approvers else { return Ok(key) };
    let owner = approvers.owner(&key.public());
    if owner == Some(name) {
        return Ok(key);
    }
    let whose = owner
        .map_or("of nobody among the approvers".to_owned(), |owner| format!("that of `{owner}`"));
    let what = format!("this is not the key of `{name}`, but {whose}; nothing was changed");
    let problem = Problem::new(Kind::WrongState, format!("{}: {what}", path.display()));
    Err(problem.help(match owner {
        _ if approvers.knows(name) => format!("name the file with the key of `{name}`"),
        Some(owner) => format!("programs trust nobody called `{name}`; sign as `{owner}`"),
        None => "is your line, as `approvals keygen` printed it, among the approvers?".to_owned(),
    }))
}

/// The file that names those whom programs trust.
pub(super) fn named(trusted: &Trusted) -> Option<PathBuf> {
    trusted.approvers.clone().or_else(|| std::env::var_os(APPROVERS).map(Into::into))
}

/// Those whom programs trust, where it is known who they are.
pub(super) fn trust(trusted: &Trusted) -> Result<Option<Trust>, Problem> {
    Ok(approvers(trusted)?.map(Approvers::into_trust))
}

/// The same, by their keys.
pub(super) fn approvers(trusted: &Trusted) -> Result<Option<Approvers>, Problem> {
    let Some(path) = named(trusted) else { return Ok(None) };
    let approvers = Approvers::read(&path).map_err(|error| {
        Problem::new(Kind::Usage, error.to_string())
            .help("it has one line for each person, as `approvals keygen` prints it")
    })?;
    Ok(Some(approvers))
}
