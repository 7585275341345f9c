//! Tenants, idempotency keys and the identity of an operation.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::policy::Text;

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 255;

/// Why a text is no idempotency key, tenant, user or workflow name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKey {
    /// It has no bytes.
    #[error("it is empty; a key has 1 to {LONGEST_KEY} bytes")]
    Empty,
    /// It has too many bytes.
    #[error("it has {0} bytes; a key has 1 to {LONGEST_KEY}")]
    TooLong(usize),
    /// A character that is not visible ASCII.
    #[error("the character {character:?} at byte {at} is not visible ASCII (! to ~)")]
    NotVisible {
        /// The character.
        character: char,
        /// The byte at which it stands.
        at: usize,
    },
}

fn checked(text: &str) -> Result<(), MalformedKey> {
    if text.is_empty() {
        return Err(MalformedKey::Empty);
    }
    if text.len() > LONGEST_KEY {
        return Err(MalformedKey::TooLong(text.len()));
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
        Some((at, character)) => Err(MalformedKey::NotVisible { character, at }),
        None => Ok(()),
    }
}

/// Defines a checked name: 1 to 255 bytes of visible ASCII.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks that `text` is 1 to 255 bytes of visible ASCII.
            ///
            /// # Errors
            /// What is wrong with it, and where.
            pub fn new(text: impl AsRef<str>) -> Result<Self, MalformedKey> {
                let text = text.as_ref();
                checked(text).map(|()| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedKey;

            fn try_from(text: String) -> Result<Self, MalformedKey> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

checked_name! {
    /// What makes two calls the same operation, within a tenant and a tool.
    ///
    /// The IETF draft `draft-ietf-httpapi-idempotency-key-header` calls it so;
    /// the form is ours: 1 to 255 bytes of visible ASCII.
    IdempotencyKey
}
checked_name! {
    /// Whose operations these are. One tenant never sees another's.
    Tenant
}
checked_name! {
    /// On whose behalf a call is made; limits count by it.
    User
}
checked_name! {
    /// Which run of a plan a call belongs to; limits count by it.
    Workflow
}

/// Which operation: a key belongs to a tenant and a tool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId {
    /// The tenant; `None` where the application has only one.
    pub tenant: Option<Tenant>,
    /// The tool's name.
    pub tool: Text,
    /// The key.
    pub key: IdempotencyKey,
}

impl OperationId {
    /// The key for an API that dedupes on one: it derives from tenant, tool and
    /// key, so that two tenants or tools never share one, and never from the
    /// attempt. At most [`LONGEST_KEY`] bytes of visible ASCII.
    #[must_use]
    pub fn downstream_key(&self) -> String {
        let key = self.path();
        if key.len() <= LONGEST_KEY { key } else { hashed(&key) }
    }

    /// It in one word: `TOOL/KEY`, or `@TENANT/TOOL/KEY`.
    #[must_use]
    pub fn path(&self) -> String {
        match &self.tenant {
            None => format!("{}/{}", self.tool, self.key),
            // No tool's name begins with `@`, and the tenant's `/` are
            // encoded, so no two operations are written alike.
            Some(tenant) => {
                let tenant = tenant.as_str().replace('%', "%25").replace('/', "%2F");
                format!("@{tenant}/{}/{}", self.tool, self.key)
            }
        }
    }
}

fn hashed(key: &str) -> String {
    Sha256::digest(key)
        .iter()
        .fold(String::from("sha256:"), |text, byte| format!("{text}{byte:02x}"))
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tenant) = &self.tenant {
            write!(f, "{tenant}:")?;
        }
        write!(f, "{}[{}]", self.tool, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(tenant: Option<&str>, tool: &'static str, key: &str) -> OperationId {
        OperationId {
            tenant: tenant.map(|name| Tenant::new(name).unwrap()),
            tool: tool.into(),
            key: IdempotencyKey::new(key).unwrap(),
        }
    }

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        assert!(IdempotencyKey::new("a".repeat(LONGEST_KEY)).is_ok());
        assert_eq!(IdempotencyKey::new(""), Err(MalformedKey::Empty));
        assert_eq!(IdempotencyKey::new("a".repeat(256)), Err(MalformedKey::TooLong(256)));
        for (text, character, at) in
            [("a b", ' ', 1), ("a\n", '\n', 1), ("ü", 'ü', 0), ("\0", '\0', 0)]
        {
            assert_eq!(IdempotencyKey::new(text), Err(MalformedKey::NotVisible { character, at }));
        }
    }

    #[test]
    fn downstream_keys_of_different_operations_differ() {
        let ids = [
            id(None, "charge", "k"),
            id(None, "charge", "x/k"),
            id(Some("charge"), "charge", "k"),
            id(Some("a"), "charge", "k"),
            id(Some("a/charge"), "charge", "k"),
            id(Some("a%2Fcharge"), "charge", "k"),
            id(Some("a"), "charge", "charge/k"),
            id(None, "charge", &"k".repeat(255)),
            id(None, "refund", &"k".repeat(255)),
        ];
        let keys: std::collections::BTreeSet<_> =
            ids.iter().map(OperationId::downstream_key).collect();
        assert_eq!(keys.len(), ids.len());
        assert!(keys.iter().all(|key| IdempotencyKey::new(key).is_ok()));
    }
}
