//! What the keys in Redis are called.
//!
//! All keys of a tool carry one hash tag, `{<prefix>:<tool>}`, and so are in one
//! slot of a cluster: a script may touch any of them. Those of the ledger as a
//! whole carry `{<prefix>}`. No key expires.

use std::fmt::{self, Write as _};

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::policy::Quota;

use crate::ledger::{CellId, LedgerError, StateName};

/// The keys of one ledger.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// The keys that begin with `prefix`.
    pub(super) fn new(prefix: &str) -> Result<Self, LedgerError> {
        let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}' | b'%');
        if prefix.is_empty() || prefix.len() > Self::LONGEST_PREFIX || !prefix.bytes().all(is_good)
        {
            return Err(LedgerError::Unavailable(format!(
                "the prefix `{}` is no name for a ledger in Redis: it takes 1 to {} characters of visible ASCII \
                 other than `{{`, `}}` and `%`",
                prefix.escape_default(),
                Self::LONGEST_PREFIX,
            )));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    const LONGEST_PREFIX: usize = 64;

    /// A hash: the ledger's incarnation and its format.
    pub(super) fn ledger(&self) -> String {
        format!("{{{}}}:ledger", self.prefix)
    }

    /// A hash: each tool's incarnation.
    pub(super) fn tools(&self) -> String {
        format!("{{{}}}:tools", self.prefix)
    }

    /// The newest fence that was reserved.
    pub(super) fn fences(&self) -> String {
        format!("{{{}}}:fences", self.prefix)
    }

    /// What all keys of a tool begin with.
    pub(super) fn of(&self, tool: &str) -> ToolKeys {
        let mut tag = format!("{{{}:", self.prefix);
        for character in tool.chars() {
            // The last colon of a tag ends the prefix, and the first brace the tag.
            match character {
                ':' | '{' | '}' | '%' => {
                    let _ = write!(tag, "%{:02X}", u32::from(character));
                }
                _ => tag.push(character),
            }
        }
        tag.push('}');
        ToolKeys { tag }
    }
}

/// The keys of one tool.
#[derive(Debug, Clone)]
pub(super) struct ToolKeys {
    tag: String,
}

impl ToolKeys {
    /// What every key of the tool begins with.
    #[cfg(test)]
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// A hash: the tool's incarnation, and how many steps were made.
    pub(super) fn meta(&self) -> String {
        format!("{}:meta", self.tag)
    }

    /// A hash: one operation's head (see [`head`](super::head)), its record, and its
    /// events by their numbers.
    pub(super) fn operation(&self, id: &OperationId) -> String {
        format!("{}:op:{}", self.tag, name(id))
    }

    /// A sorted set: the names of all operations.
    pub(super) fn names(&self) -> String {
        format!("{}:names", self.tag)
    }

    /// A sorted set: the names of the operations in a state that [is
    /// noted](is_noted).
    pub(super) fn noted(&self, state: StateName) -> Option<String> {
        is_noted(state).then(|| format!("{}:state:{state}", self.tag))
    }

    /// A hash: the cells of the tool's limits, those that count apart from those
    /// that have a rate. A sorted set, where calls at a time are counted: the
    /// claims that hold its slots, by when they run out.
    pub(super) fn cells(&self, cell: &CellId) -> String {
        match cell.limit.quota {
            Quota::Count(_) | Quota::Within(..) => format!("{}:counts", self.tag),
            Quota::Rate(..) => format!("{}:rates", self.tag),
            Quota::Concurrent(_) => format!("{}:slots:{}", self.tag, self::cell(cell)),
        }
    }

    /// The channel on which a change of the operation is said.
    pub(super) fn changed(&self, id: &OperationId) -> String {
        format!("{}:changed:{}", self.tag, name(id))
    }
}

/// What is stored where there is no tenant; a tenant has at least one character.
pub(super) fn tenant(tenant: Option<&Tenant>) -> &str {
    tenant.map_or("", Tenant::as_str)
}

/// An operation's name among those of its tool. Names are ordered as ids are, for
/// a space comes before all that is in a tenant or a key.
pub(super) fn name(id: &OperationId) -> String {
    format!("{} {}", tenant(id.tenant.as_ref()), id.key)
}

/// Whose name it is.
pub(super) fn id_of(tool: &str, name: &str) -> Option<OperationId> {
    let (tenant, key) = name.split_once(' ')?;
    let tenant = if tenant.is_empty() { None } else { Some(Tenant::new(tenant).ok()?) };
    Some(OperationId { tenant, tool: tool.to_owned().into(), key: IdempotencyKey::new(key).ok()? })
}

/// Whether somebody may have to look at what is in this state; not at one that
/// every call passes through.
pub(super) fn is_noted(state: StateName) -> bool {
    match state {
        StateName::AwaitingApproval
        | StateName::Approved
        | StateName::Denied
        | StateName::Exhausted
        | StateName::Unknown
        | StateName::Abandoned
        | StateName::Reconciling => true,
        StateName::Running | StateName::Released | StateName::Succeeded | StateName::Expired => {
            false
        }
    }
}

/// A version or a fence as text of one length, that is ordered as they are: a
/// score is a double, which loses digits.
pub(super) fn number(number: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "{number:020}"))
}

/// A cell's name among those of its tool. What is free text comes last.
pub(super) fn cell(cell: &CellId) -> String {
    let scope = cell.limit.scope.as_str();
    let quota = match cell.limit.quota {
        Quota::Count(most) | Quota::Concurrent(most) => format!("{most}"),
        Quota::Rate(most, period) => format!("{most}/{}", period.unit()),
        Quota::Within(most, span) => format!("{most}/{}ns", span.as_nanos()),
    };
    let tenant = tenant(cell.tenant.as_ref());
    match &cell.subject {
        Some(subject) => format!("{scope} {quota} {tenant} ={subject}"),
        None => format!("{scope} {quota} {tenant}"),
    }
}
