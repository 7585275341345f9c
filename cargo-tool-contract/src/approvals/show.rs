//! `approvals show`: what would run, and who agreed.

use std::fmt::Write as _;

use tool_contract_runtime::ledger::Trust;

use super::find::{self, Asked};
use super::key;
use super::standing::{self, Standing};
use super::view::{self, Document};
use crate::End;
use crate::args::Request;
use crate::ledger::next;
use crate::operator::text::plain;
use crate::operator::{Desk, Problem, time};

pub(super) async fn run(desk: &Desk, args: &Request) -> Result<End, Problem> {
    let trust = key::trust(&args.trusted)?;
    let trust = trust.as_ref();
    let asked = find::one(desk, &args.request).await?;
    let standing = Standing::of(&asked, desk, trust);
    let next = standing::steps(desk, &asked, standing, &args.trusted).await?;
    let document = Document::of(&asked, desk, trust, &next);
    desk.say(&document, || {
        let mut said = told(&asked, desk, trust);
        if trust.is_none() && !asked.approval.grants.is_empty() {
            said.push_str(key::UNTOLD);
            said.push('\n');
        }
        if !next.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(said, "\nNext\n{}", next::told(&next));
        }
        said
    })?;
    Ok(if asked.is_altered() { End::Broken } else { End::Fine })
}

/// What a person has to know who decides.
pub(super) fn told(asked: &Asked, desk: &Desk, trust: Option<&Trust>) -> String {
    let (id, record, approval) = (&asked.id, &asked.record, &asked.approval);
    let mut out = format!("{} for {}\n\n", approval.id, plain(&id.to_string()));
    let mut field = |name: &str, value: &str| {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "  {name:<12}{}", plain(value));
    };
    field("tool", &id.tool);
    field("key", id.key.as_str());
    if let Some(tenant) = &id.tenant {
        field("tenant", tenant.as_str());
    }
    if asked.is_altered() {
        field("ALTERED", "the hash is not of the arguments on record: do not agree to it");
    }
    field("would run", asked.arguments());
    if let Some(ignored) = approval.ignored() {
        field("and with", &format!("{ignored}, which the hash leaves out, and a yes does not"));
    }
    if *record.arguments != *asked.arguments() {
        field("as recorded", &record.arguments);
    }
    if let Some(bound) = approval.preimage.as_ref().and_then(|it| it.fingerprint.as_deref()) {
        field("bound to", bound);
    }
    field("hash", &record.hash.to_string());
    field("state", Standing::of(asked, desk, trust).word());
    let by = approval.requested_by.as_deref().unwrap_or("(nobody was named)");
    field("asked by", &format!("{by}, {}", time::both(approval.requested_at, desk.now)));
    field("expires", &time::both(approval.expires_at, desk.now));
    let names = view::grants(asked, desk, trust);
    let names: Vec<String> = names.iter().map(|one| format!("{}{}", one.by, one.word())).collect();
    let names = if names.is_empty() { "nobody yet".to_owned() } else { names.join(", ") };
    field("agreed", &format!("{names}; {} must", approval.quorum));
    if let Some((no, said)) = approval.denied.as_ref().zip(view::denied(asked, desk, trust)) {
        field("refused by", &format!("{}{}: {}", no.by, said.word(), no.why));
    }
    out
}
