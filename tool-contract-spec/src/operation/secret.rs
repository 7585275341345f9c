//! The key under which secret arguments enter the hash.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

const DOMAIN: &[u8] = b"tool-contract/secret/v1\0";

/// The block of SHA-256, to which HMAC pads its key.
const BLOCK: usize = 64;

/// The runtime's HMAC key for secret arguments.
///
/// Every process that shares a ledger needs the same one: under another key the
/// same call is another operation. It is shown to nobody, and wiped when
/// dropped.
#[derive(Clone)]
pub struct SecretKey {
    /// The key as HMAC (RFC 2104) pads it, so that using it cannot fail.
    block: Zeroizing<[u8; BLOCK]>,
}

/// A key that protects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key for secret arguments needs at least {} bytes, and this one has {len}",
    SecretKey::MIN_LEN
)]
pub struct SecretKeyError {
    /// The length of the key that was refused.
    pub len: usize,
}

impl SecretKey {
    /// The shortest key that is taken: 128 bits. Take 32 random bytes.
    pub const MIN_LEN: usize = 16;

    /// The key of these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, SecretKeyError> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::MIN_LEN {
            return Err(SecretKeyError { len: bytes.len() });
        }
        let mut block = Zeroizing::new([0; BLOCK]);
        if let Some(start) = block.get_mut(..bytes.len()) {
            start.copy_from_slice(bytes);
        } else {
            let mut digest: [u8; 32] = Sha256::digest(bytes).into();
            block[..digest.len()].copy_from_slice(&digest);
            digest.zeroize();
        }
        Ok(Self { block })
    }

    /// The HMAC of one argument. Lengths come first, so that no two pairs of
    /// tool and name have the same input.
    pub(super) fn tag(&self, tool: &str, name: &str, canonical: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new((&*self.block).into());
        mac.update(DOMAIN);
        for part in [tool, name, canonical] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(..)")
    }
}
