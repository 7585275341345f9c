//! The operation hash: what makes two calls the same intent.
//!
//! SHA-256 over `tool-contract/operation/v1\0`, the tool's name, `\0`, the
//! contract version in decimal, `\0`, and the [canonical](crate::canonical)
//! object of the arguments, the ignored ones left out. The object has no raw
//! `\0`, so no two operations have the same input. The label keeps this hash
//! apart from every other use of SHA-256, and its version from later formats.
//!
//! A call that binds more than its arguments, a [`Fingerprint`], adds `\0` and its
//! canonical form.
//!
//! A secret argument stands in the object as `"hmac-sha256:<hex>"`. A plain hash
//! would not do: all card numbers can be tried in minutes.

mod fingerprint;
mod hash;
mod preimage;
mod secret;

use std::cmp::Ordering;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::canonical::{CanonicalError, Form, name_order, push_string};
use crate::hex;

pub use self::fingerprint::{Fingerprint, FingerprintError};
pub use self::hash::{OperationHash, OperationHashError};
pub use self::preimage::Preimage;
pub use self::secret::{SecretKey, SecretKeyError};

const DOMAIN: &str = "tool-contract/operation/v1\0";

/// Room for the arguments of most calls; growing costs more than it saves.
const EXPECTED_LEN: usize = 256;

/// A call's arguments in canonical form, and their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The hash of tool, contract version and arguments.
    pub hash: OperationHash,
    /// The object of the arguments: secret ones as their HMAC, ignored ones
    /// left out. No secret is in it.
    pub canonical: String,
    /// Whether `canonical` may be stored as the JSON of these arguments.
    pub form: Form,
}

/// Why an operation has no hash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// An argument without a canonical form.
    #[error("argument `{name}`: {source}")]
    Argument {
        /// The argument's name.
        name: String,
        /// Why it has none.
        source: CanonicalError,
    },

    /// A secret argument without a canonical form. Why is not said: the reason
    /// could quote the secret.
    #[error("secret argument `{name}` has no canonical form")]
    SecretArgument {
        /// The argument's name.
        name: String,
    },

    /// The caller of [`OperationHasher`] did not sort the names.
    #[error(
        "argument `{name}` was given after `{previous}`; names must come in the order of RFC 8785, each once"
    )]
    OutOfOrder {
        /// The name that came too late.
        name: String,
        /// The name before it.
        previous: String,
    },
}

/// Builds the operation of one call.
///
/// Names come in the order of RFC 8785. The macro knows them and sorts them at
/// compile time; here the order is checked all the same, since a hash that
/// depended on the order of parameters in the source would change when somebody
/// reorders them, and every retry after the next release would run again.
#[derive(Debug)]
pub struct OperationHasher<'a> {
    tool: &'a str,
    previous: Option<&'a str>,
    /// What is hashed, in one piece: small pieces cost more to hand over than
    /// to hash.
    input: String,
    /// Where the arguments begin in it.
    start: usize,
    form: Form,
}

impl<'a> OperationHasher<'a> {
    /// Begins the operation of a call to `tool`.
    #[must_use]
    pub fn new(tool: &'a str, contract_version: u32) -> Self {
        let mut input = String::with_capacity(EXPECTED_LEN);
        for part in [DOMAIN, tool, "\0", itoa::Buffer::new().format(contract_version), "\0"] {
            input.push_str(part);
        }
        let start = input.len();
        input.push('{');
        Self { tool, previous: None, input, start, form: Form::Json }
    }

    /// Adds an argument; `write` appends its canonical form, as
    /// [`canonical::write`](crate::canonical::write) does.
    pub fn argument(
        &mut self,
        name: &'a str,
        write: impl FnOnce(&mut String) -> Result<Form, CanonicalError>,
    ) -> Result<&mut Self, OperationError> {
        self.push_name(name)?;
        let form = write(&mut self.input)
            .map_err(|source| OperationError::Argument { name: name.into(), source })?;
        self.form = self.form.and(form);
        Ok(self)
    }

    /// Adds an argument of which nobody may learn more than whether it is the
    /// same. Its stand-in depends on the key, the tool, the name and the value.
    pub fn secret(
        &mut self,
        name: &'a str,
        key: &SecretKey,
        write: impl FnOnce(&mut String) -> Result<Form, CanonicalError>,
    ) -> Result<&mut Self, OperationError> {
        self.push_name(name)?;
        let mut clear = Zeroizing::new(String::new());
        write(&mut clear).map_err(|_| OperationError::SecretArgument { name: name.into() })?;
        let tag = key.tag(self.tool, name, &clear);
        self.input.push_str("\"hmac-sha256:");
        hex::push(&mut self.input, &tag);
        self.input.push('"');
        Ok(self)
    }

    /// The finished operation.
    #[must_use]
    pub fn finish(self, fingerprint: Option<&Fingerprint>) -> Operation {
        let Self { mut input, start, form, .. } = self;
        input.push('}');
        let end = input.len();
        if let Some(fingerprint) = fingerprint {
            input.push('\0');
            input.push_str(fingerprint.as_str());
        }
        let hash = OperationHash::from_bytes(Sha256::digest(&input).into());
        input.truncate(end);
        input.drain(..start);
        Operation { hash, canonical: input, form }
    }

    fn push_name(&mut self, name: &'a str) -> Result<(), OperationError> {
        if let Some(previous) = self.previous.replace(name) {
            if name_order(previous, name) != Ordering::Less {
                let (name, previous) = (name.into(), previous.into());
                return Err(OperationError::OutOfOrder { name, previous });
            }
            self.input.push(',');
        }
        push_string(&mut self.input, name);
        self.input.push(':');
        Ok(())
    }
}

#[cfg(test)]
mod tests;
