//! Whose signatures count.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tool_contract_spec::ledger::{Signature, Signer, Statement, Trust, Verifier};

use super::keys::{KeyError, PublicKey};

/// The people whose approval counts, by their public keys: all that a runtime
/// needs to check a yes, and nothing with which one could be made.
///
/// ```
/// # extern crate tool_contract_runtime as tool_contract;
/// use tool_contract::approval::{Approvers, PrivateKey};
/// # use tool_contract::{Runtime, ledger::MemoryLedger};
///
/// # let key = PrivateKey::generate()?; // on the machine of Alice, and never here
/// # let line = format!("{} alice\n", key.public());
/// let approvers = Approvers::parse(&line)?; // or `Approvers::read("approvers")?`
/// let runtime = Runtime::builder().ledger(MemoryLedger::new()).approvers(approvers).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Approvers {
    people: BTreeMap<Arc<str>, Vec<PublicKey>>,
}

/// Why somebody cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApproversError {
    /// The file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The line has no key that can be used.
    #[error("{place}the key of `{name}`: {why}")]
    Key {
        /// Where, as `line 3: `; empty outside a text.
        place: String,
        /// Whose.
        name: Arc<str>,
        /// What is wrong with it.
        why: KeyError,
    },
    /// The line has no name.
    #[error("{place}a person is written as a public key, a space and a name: `ed25519:… alice`")]
    Nameless {
        /// Where.
        place: String,
    },
    /// One key would be two people, and one person a quorum of two.
    #[error(
        "{place}the key of `{name}` is that of `{other}` too: one key is one person; make one for each with `approvals keygen`"
    )]
    Shared {
        /// Where.
        place: String,
        /// The second name.
        name: Arc<str>,
        /// The first name.
        other: Arc<str>,
    },
}

impl Approvers {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts `name`, who signs with the private half of `key` (as `approvals
    /// keygen` prints it: `ed25519:` and 64 digits). Who has several keys is still
    /// one person.
    ///
    /// # Errors
    /// If it is no key, or is somebody else's, or the name is empty.
    pub fn trust(self, name: impl Into<Arc<str>>, key: &str) -> Result<Self, ApproversError> {
        self.add(name.into(), key, "")
    }

    /// Trusts everybody in a text: one on each line, the key, a space, the name.
    /// Empty lines, and those that begin with `#`, are for people.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ApproversError> {
        let lines = text.lines().map(str::trim).enumerate();
        let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        said.into_iter().try_fold(Self::new(), |approvers, (at, line)| {
            let (key, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            approvers.add(name.trim().into(), key, &format!("line {}: ", at + 1))
        })
    }

    /// Trusts everybody in a file; see [`parse`](Self::parse).
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ApproversError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| ApproversError::Unreadable {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        Self::parse(&text)
    }

    /// Whether it is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Whether somebody is called so.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.people.contains_key(name)
    }

    /// Who signs with the private half of this key.
    #[must_use]
    pub fn owner(&self, key: &PublicKey) -> Option<&str> {
        self.people.iter().find(|(_, keys)| keys.contains(key)).map(|(owner, _)| &**owner)
    }

    /// For a step of a ledger.
    #[must_use]
    pub fn into_trust(self) -> Trust {
        Trust::new(Arc::new(self))
    }

    fn add(mut self, name: Arc<str>, key: &str, place: &str) -> Result<Self, ApproversError> {
        let place = place.to_owned();
        if name.trim().is_empty() {
            return Err(ApproversError::Nameless { place });
        }
        let key = match key.parse::<PublicKey>() {
            Ok(key) => key,
            Err(why) => return Err(ApproversError::Key { place, name, why }),
        };
        match self.owner(&key) {
            Some(owner) if *owner == *name => {}
            Some(other) => {
                return Err(ApproversError::Shared { place, name, other: other.into() });
            }
            None => self.people.entry(name).or_default().push(key),
        }
        Ok(self)
    }
}

impl Verifier for Approvers {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        let (keys, signature) = (self.people.get(statement.by)?, signature?);
        let key = keys.iter().find(|key| key.verifies(statement, signature))?;
        Some(key.signer())
    }
}

impl fmt::Debug for Approvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.people).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::PrivateKey;

    fn key() -> String {
        PrivateKey::generate().unwrap().public().to_string()
    }

    #[test]
    fn a_text_names_people() {
        let (alice, new, bob) = (key(), key(), key());
        let text =
            format!("# who may\n\n{alice} alice\r\n{new}\talice\n  {bob}  Bob the Builder \n");
        let approvers = Approvers::parse(&text).unwrap();
        let keys: Vec<(&str, usize)> =
            approvers.people.iter().map(|(name, keys)| (&**name, keys.len())).collect();
        assert_eq!(keys, [("Bob the Builder", 1), ("alice", 2)]);
        assert!(Approvers::parse("# nobody").unwrap().is_empty());
        let owner = |key: &str| approvers.owner(&key.parse().unwrap());
        assert_eq!((owner(&new), owner(&bob)), (Some("alice"), Some("Bob the Builder")));
        assert_eq!((owner(&self::key()), approvers.knows("alice")), (None, true));
        assert!(!approvers.knows("Bob"));
    }

    #[test]
    fn what_cannot_be_trusted_is_named_by_its_line() {
        let (one, two) = (key(), key());
        let private = PrivateKey::generate().unwrap().secret_line();
        for (text, wanted) in [
            (format!("{one} alice\n{one} bob"), "line 2: the key of `bob` is that of `alice` too"),
            (one.clone(), "line 1: a person is written as"),
            (format!("{one} alice\n\n{two}0 bob"), "line 3: the key of `bob`: a public key is"),
            ("alice ed25519:00".to_owned(), "line 1: the key of `ed25519:00`"),
            (format!("{} eve", private.trim()), "that is a private key"),
        ] {
            let error = Approvers::parse(&text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains(private.trim()), "{error}");
        }
        let error = Approvers::read("no/such/file").unwrap_err().to_string();
        assert!(error.starts_with("no/such/file cannot be read"), "{error}");
    }
}
