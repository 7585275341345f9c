//! What a person signs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ApprovalId, ApprovalVerdict};
use crate::hex;
use crate::key::OperationId;
use crate::operation::OperationHash;

/// It keeps these signatures apart from every other use of a key, and its
/// version from later forms.
const DOMAIN: &[u8] = b"tool-contract/approval/v1\0";

/// A person's decision as it is signed: on what, on whose request, what and for
/// how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The operation: tenant, tool and key.
    pub id: &'a OperationId,
    /// What it does.
    pub hash: &'a OperationHash,
    /// The arguments that the hash leaves out, in canonical form.
    pub ignored: Option<&'a str>,
    /// On whose behalf it was asked.
    pub requested_by: Option<&'a str>,
    /// The request.
    pub request: &'a ApprovalId,
    /// Who decides.
    pub by: &'a str,
    /// What, and until when or why.
    pub verdict: &'a ApprovalVerdict,
}

impl Statement<'_> {
    /// The bytes that are signed: a label, and each part after its length, so
    /// that no two statements are written alike. Ignored arguments, where there are
    /// any, come last.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = DOMAIN.to_vec();
        maybe(&mut out, self.id.tenant.as_ref().map(crate::key::Tenant::as_str));
        part(&mut out, self.id.tool.as_bytes());
        part(&mut out, self.id.key.as_str().as_bytes());
        part(&mut out, self.hash.as_bytes());
        maybe(&mut out, self.requested_by);
        part(&mut out, self.request.0.as_bytes());
        part(&mut out, self.by.as_bytes());
        match self.verdict {
            ApprovalVerdict::Grant { until } => {
                part(&mut out, b"grant");
                part(&mut out, &until.0.to_be_bytes());
            }
            ApprovalVerdict::Deny { why } => {
                part(&mut out, b"deny");
                part(&mut out, why.as_bytes());
            }
        }
        if let Some(ignored) = self.ignored {
            part(&mut out, ignored.as_bytes());
        }
        out
    }
}

fn part(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A part that may be absent, which is not the same as empty.
fn maybe(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    part(out, text.unwrap_or_default().as_bytes());
}

/// An Ed25519 signature; as text, 128 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

/// A text that is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature is 128 lowercase hexadecimal digits")]
pub struct MalformedSignature;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::write(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = MalformedSignature;

    fn from_str(text: &str) -> Result<Self, MalformedSignature> {
        hex::read(text).map(Self).ok_or(MalformedSignature)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{IdempotencyKey, Tenant};
    use crate::ledger::Timestamp;

    fn id(tenant: Option<&str>, tool: &'static str, key: &str) -> OperationId {
        OperationId {
            tenant: tenant.map(|tenant| Tenant::new(tenant).unwrap()),
            tool: tool.into(),
            key: IdempotencyKey::new(key).unwrap(),
        }
    }

    /// These bytes are kept in signatures: another form takes another version.
    #[test]
    fn the_form_is_this() {
        let (id, request) = (id(None, "t", "k"), ApprovalId("apr_1".into()));
        let hash = OperationHash::from_bytes([7; 32]);
        let verdict = ApprovalVerdict::Grant { until: Timestamp(258) };
        let requested_by = Some("bob");
        let statement = Statement {
            id: &id,
            hash: &hash,
            ignored: None,
            requested_by,
            request: &request,
            by: "ann",
            verdict: &verdict,
        };
        let length = |length: u8| [0, 0, 0, 0, 0, 0, 0, length];
        let mut expected = b"tool-contract/approval/v1\0\0".to_vec();
        expected.extend(length(0));
        for part in [&b"t"[..], b"k", &[7; 32]] {
            expected.extend(length(u8::try_from(part.len()).unwrap()));
            expected.extend(part);
        }
        expected.push(1);
        for part in [&b"bob"[..], b"apr_1", b"ann", b"grant", &[0, 0, 0, 0, 0, 0, 1, 2]] {
            expected.extend(length(u8::try_from(part.len()).unwrap()));
            expected.extend(part);
        }
        assert_eq!(statement.bytes(), expected);
        expected.extend(length(2));
        expected.extend(b"{}");
        assert_eq!(Statement { ignored: Some("{}"), ..statement }.bytes(), expected);
    }

    #[test]
    fn no_two_statements_are_alike() {
        let requests = [ApprovalId("apr_1".into()), ApprovalId("apr_2".into())];
        let hashes = [OperationHash::from_bytes([7; 32]), OperationHash::from_bytes([8; 32])];
        let verdicts = [
            ApprovalVerdict::Grant { until: Timestamp(1) },
            ApprovalVerdict::Grant { until: Timestamp(2) },
            ApprovalVerdict::Deny { why: "no".into() },
            ApprovalVerdict::Deny { why: "".into() },
        ];
        let ids =
            [id(None, "t", "k"), id(Some("t"), "t", "k"), id(None, "tk", "k"), id(None, "t", "kk")];
        let mut all = std::collections::BTreeSet::new();
        let mut count = 0;
        for id in &ids {
            for hash in &hashes {
                for requested_by in [None, Some(""), Some("ann"), Some("a")] {
                    for request in &requests {
                        for by in ["ann", "nn", ""] {
                            for verdict in &verdicts {
                                for ignored in [None, Some(""), Some("{}"), Some("n")] {
                                    let statement = Statement {
                                        id,
                                        hash,
                                        ignored,
                                        requested_by,
                                        request,
                                        by,
                                        verdict,
                                    };
                                    all.insert(statement.bytes());
                                    count += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(all.len(), count);
    }
}
