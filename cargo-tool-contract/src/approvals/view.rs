//! Requests as programs read them. The names of the fields stay.

use serde::Serialize;
use tool_contract_runtime::ledger::{ApprovalRecord, Ballot, Grant, StateName, Trust};
use tool_contract_spec::operation::OperationHash;

use super::find::Asked;
use super::standing::Standing;
use crate::ledger::next::Next;
use crate::ledger::view::Name;
use crate::operator::{Desk, time};

/// A request in a list.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) request: &'a str,
    #[serde(flatten)]
    name: Name<'a>,
    requested_by: Option<&'a str>,
    requested_at: String,
    expires_at: String,
    quorum: u32,
    /// How many yeses are on record.
    signed: usize,
    agreed: Option<u32>,
    state: StateName,
    stands: Standing,
}

impl<'a> Line<'a> {
    pub(super) fn of(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Self {
        let approval = &asked.approval;
        Self {
            request: &approval.id.0,
            name: Name::of(&asked.id),
            requested_by: approval.requested_by.as_deref(),
            requested_at: time::iso(approval.requested_at),
            expires_at: time::iso(approval.expires_at),
            quorum: approval.quorum,
            signed: approval.grants.len(),
            agreed: agreed(asked, desk, trust),
            state: asked.record.state.name(),
            stands: Standing::of(asked, desk, trust),
        }
    }
}

/// All that is known of a request.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    arguments: &'a str,
    ignored: Option<&'a str>,
    recorded: &'a str,
    operation_hash: OperationHash,
    is_altered: bool,
    grants: Vec<Said<'a>>,
    denied: Option<Said<'a>>,
    next: &'a [Next],
}

/// What somebody said.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    pub(super) by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    signed: bool,
    /// Whether programs that trust these people count it; `None` if it is not
    /// known whom they trust.
    pub(super) counts: Option<bool>,
    /// Why not, where programs do not count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    void: Option<&'static str>,
}

impl Said<'_> {
    /// In a word, behind a name.
    pub(super) fn word(&self) -> String {
        match (self.counts, self.signed) {
            (Some(true), _) => String::new(),
            (Some(false), _) => {
                format!(" (DOES NOT COUNT: {})", self.void.unwrap_or("nobody knows why"))
            }
            (None, true) => " (signature not checked)".to_owned(),
            (None, false) => " (NOT SIGNED)".to_owned(),
        }
    }
}

/// Why what `by` said does not count, if it does not.
fn void(asked: &Asked, by: &str, is_signed: bool, is_over: bool) -> &'static str {
    match is_signed {
        _ if is_over => "it has expired",
        _ if asked.approval.requested_by.as_deref() == Some(by) => "who asked cannot agree",
        true => "signed with a key that is not theirs among the approvers",
        false => "it is not signed",
    }
}

impl<'a> Document<'a> {
    pub(super) fn of(
        asked: &'a Asked,
        desk: &Desk,
        trust: Option<&Trust>,
        next: &'a [Next],
    ) -> Self {
        let record = &asked.record;
        Self {
            line: Line::of(asked, desk, trust),
            arguments: asked.arguments(),
            ignored: asked.approval.ignored(),
            recorded: &record.arguments,
            operation_hash: record.hash,
            is_altered: asked.is_altered(),
            grants: grants(asked, desk, trust),
            denied: denied(asked, desk, trust),
            next,
        }
    }
}

fn ballot<'a>(asked: &'a Asked, desk: &Desk, trust: &'a Trust) -> Ballot<'a> {
    let Asked { id, record, approval } = asked;
    let requested_by = approval.requested_by.as_deref();
    let ignored = approval.ignored();
    Ballot { id, hash: &record.hash, ignored, requested_by, trust, now: desk.now }
}

/// How many of those who must have agreed; `None` if it is not known who counts.
pub(super) fn agreed(asked: &Asked, desk: &Desk, trust: Option<&Trust>) -> Option<u32> {
    let missing = ballot(asked, desk, trust?).missing(&asked.approval);
    Some(asked.approval.quorum.saturating_sub(missing))
}

/// Whether it has its yes; as it is on record, if it is not known who counts.
pub(super) fn is_granted(asked: &Asked, desk: &Desk, trust: Option<&Trust>) -> bool {
    match trust {
        Some(trust) => ballot(asked, desk, trust).is_granted(&asked.approval),
        None => asked.record.state.name() == StateName::Approved,
    }
}

/// Who agreed, and whether that counts.
pub(super) fn grants<'a>(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Vec<Said<'a>> {
    let counts = |grant: &Grant| {
        let alone = ApprovalRecord { grants: vec![grant.clone()], ..asked.approval.clone() };
        trust.map(|trust| !ballot(asked, desk, trust).people(&alone).is_empty())
    };
    let said = asked.approval.grants.iter().map(|grant| {
        let (signed, counts) = (grant.signature.is_some(), counts(grant));
        let void = || void(asked, &grant.by, signed, grant.until <= desk.now);
        Said {
            by: &grant.by,
            why: None,
            at: Some(time::iso(grant.at)),
            until: Some(time::iso(grant.until)),
            signed,
            counts,
            void: (counts == Some(false)).then(void),
        }
    });
    said.collect()
}

/// Who refused.
pub(super) fn denied<'a>(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Option<Said<'a>> {
    let denial = asked.approval.denied.as_ref()?;
    let counts = |trust: &Trust| ballot(asked, desk, trust).is_denied(&asked.approval, denial);
    let (signed, counts) = (denial.signature.is_some(), trust.map(counts));
    Some(Said {
        by: &denial.by,
        why: Some(&denial.why),
        at: None,
        until: None,
        signed,
        counts,
        void: (counts == Some(false)).then(|| void(asked, &denial.by, signed, false)),
    })
}
