//! Ed25519 keys, and how they are written.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature as Ed25519, Signer as _, SigningKey, VerifyingKey};
use tool_contract_spec::hex;
use tool_contract_spec::ledger::{Signature, Signer, Statement};
use zeroize::{Zeroize as _, Zeroizing};

/// What a public key begins with.
const PUBLIC: &str = "ed25519:";

/// What a private key begins with, so that nobody takes it for the other.
const PRIVATE: &str = "tool-contract-private-key:ed25519:";

/// Why a text is no key. It never says what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No public key.
    #[error(
        "a public key is written `ed25519:` and 64 lowercase hexadecimal digits, as `approvals keygen` prints it"
    )]
    Public,
    /// A private key where a public one belongs.
    #[error(
        "that is a private key: it belongs to one person, and nowhere else; make a new one, and give the public line that `approvals keygen` prints"
    )]
    PrivateAsPublic,
    /// Bytes that are no point of the curve, or one under which anybody can sign.
    #[error("these digits are no Ed25519 public key that is safe to use; copy the line anew")]
    Weak,
    /// No private key.
    #[error("this is no private key; `approvals keygen` writes one")]
    Private,
    /// The system gave no random numbers.
    #[error("the system gives no random numbers, and a key needs them")]
    Random,
}

/// The key with which what a person signed is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    pub(super) fn signer(&self) -> Signer {
        Signer(self.0.to_bytes())
    }

    /// Whether this statement was signed with the key. Signatures that one can
    /// make from another without the key do not count.
    pub(super) fn verifies(&self, statement: &Statement<'_>, signature: &Signature) -> bool {
        let signature = Ed25519::from_bytes(&signature.0);
        self.0.verify_strict(&statement.bytes(), &signature).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.starts_with(PRIVATE) {
            return Err(KeyError::PrivateAsPublic);
        }
        let digits = text.strip_prefix(PUBLIC).ok_or(KeyError::Public)?;
        let bytes = hex::read(digits).ok_or(KeyError::Public)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Weak)?;
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex::write(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key with which a person signs.
///
/// It is shown by nothing but [`secret_line`](PrivateKey::secret_line), cannot be
/// cloned, and is wiped when dropped.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|_| KeyError::Random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key that this line holds.
    ///
    /// # Errors
    /// If it holds none. The error does not quote the line.
    pub fn read(line: &str) -> Result<Self, KeyError> {
        let digits = line.trim().strip_prefix(PRIVATE).ok_or(KeyError::Private)?;
        let mut seed = hex::read(digits).ok_or(KeyError::Private)?;
        let key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        Ok(Self(key))
    }

    /// The key as a line of text, for the file of the one person whose it is.
    #[must_use]
    pub fn secret_line(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex::write(self.0.as_bytes()));
        // As long as it will be: a text that grows leaves copies behind.
        let mut line = Zeroizing::new(String::with_capacity(PRIVATE.len() + digits.len() + 1));
        line.push_str(PRIVATE);
        line.push_str(&digits);
        line.push('\n');
        line
    }

    /// The key with which others check what is signed with this one.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign(&self, statement: &Statement<'_>) -> Signature {
        Signature(self.0.sign(&statement.bytes()).to_bytes())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const POINT: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn keys_read_back() {
        let key = PrivateKey::read(&format!("{PRIVATE}{SEED}\n")).unwrap();
        assert_eq!(key.public().to_string(), format!("{PUBLIC}{POINT}"));
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert_eq!(PrivateKey::read(&key.secret_line()).unwrap().public(), key.public());
        let (one, other) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        assert_ne!(one.public(), other.public());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_quoted() {
        let private = format!("{PRIVATE}{SEED}");
        let public = |text: &str| text.parse::<PublicKey>().unwrap_err();
        assert_eq!(public(&private), KeyError::PrivateAsPublic);
        for text in ["", "ed25519:", POINT, &format!("{PUBLIC}{POINT}00"), "rsa:00"] {
            assert_eq!(public(text), KeyError::Public, "{text}");
        }
        // Of small order: every signature would do.
        let weak = format!("{PUBLIC}01{}", "00".repeat(31));
        assert_eq!(public(&weak), KeyError::Weak);
        for text in ["", SEED, &private[..private.len() - 1], &format!("{PUBLIC}{SEED}")] {
            let error = PrivateKey::read(text).unwrap_err();
            assert_eq!(error, KeyError::Private);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_private_key_is_not_shown() {
        let key = PrivateKey::read(&format!("{PRIVATE}{SEED}")).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(..)");
    }
}
