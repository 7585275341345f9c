//! `ledger verify`

use serde::Serialize;
use tool_contract_runtime::ledger::{Broken, LedgerError, Pages, Query, Record, verify};
use tool_contract_spec::key::OperationId;

use super::view::Name;
use crate::End;
use crate::args::Verify;
use crate::operator::find::{self, meant};
use crate::operator::{Desk, Kind, Problem, text};
use crate::report::counted;

/// How often a history is read that is being written to.
const MOST_READINGS: usize = 100;

/// What is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The event at which it shows.
    event: Option<u32>,
    pub(super) problem: String,
}

#[derive(Debug, Serialize)]
struct Document<'r> {
    checked: usize,
    broken: Vec<JsonFault<'r>>,
}

#[derive(Debug, Serialize)]
struct JsonFault<'r> {
    #[serde(flatten)]
    name: Name<'r>,
    event: Option<u32>,
    problem: &'r str,
}

pub(super) async fn run(desk: &Desk, args: &Verify) -> Result<End, Problem> {
    let (checked, broken) = match &args.key {
        Some(key) => {
            let (id, record) = find::one(desk, key, &args.among).await?;
            let fault = fault(desk, &id, record).await?;
            (1, fault.map(|fault| (id, fault)).into_iter().collect())
        }
        None => all(desk, args).await?,
    };
    let document = Document {
        checked,
        broken: broken
            .iter()
            .map(|(id, fault)| JsonFault {
                name: Name::of(id),
                event: fault.event,
                problem: &fault.problem,
            })
            .collect(),
    };
    desk.say(&document, || told(checked, &broken))?;
    Ok(if broken.is_empty() { End::Fine } else { End::Broken })
}

async fn all(desk: &Desk, args: &Verify) -> Result<(usize, Vec<(OperationId, Fault)>), Problem> {
    let among = &args.among;
    let query =
        Query { tenant: among.tenant.clone(), tool: among.tool.clone(), ..Query::default() };
    let (mut checked, mut broken) = (0, Vec::new());
    let mut pages = Pages::of(&*desk.ledger, query);
    while let Some(page) = pages.next().await? {
        for (id, record) in page {
            if among.no_tenant && id.tenant.is_some() {
                continue;
            }
            checked += 1;
            if let Some(fault) = fault(desk, &id, record).await? {
                broken.push((id, fault));
            }
        }
        if checked >= Query::MOST {
            desk.progress("checked", checked);
        }
    }
    match &among.tool {
        // A slip in a tool's name must not pass for a ledger in order.
        Some(tool) if checked == 0 => Err(none_of(tool, meant(desk, tool).await?)),
        _ => Ok((checked, broken)),
    }
}

fn none_of(tool: &str, hint: Option<String>) -> Problem {
    let problem = Problem::new(Kind::NotFound, format!("there is no operation of `{tool}`"));
    match hint {
        Some(hint) => problem.help(hint),
        None => problem,
    }
}

/// What is wrong with the history of one operation, if anything is.
pub(super) async fn fault(
    desk: &Desk,
    id: &OperationId,
    mut record: Record,
) -> Result<Option<Fault>, Problem> {
    let mut readings = 1;
    loop {
        let broken = match desk.ledger.history(id.clone()).await {
            Ok(history) => match verify(&history, &record.chain) {
                Ok(()) => return Ok(None),
                Err(broken) => broken.into(),
            },
            Err(LedgerError::Corrupt(problem)) => Fault { event: None, problem },
            Err(error) => return Err(error.into()),
        };
        // A step may have come between record and history; then both are new.
        match desk.ledger.find(id.clone()).await? {
            Some(newer) if newer.chain != record.chain && readings < MOST_READINGS => {
                record = newer;
                readings += 1;
            }
            _ => return Ok(Some(broken)),
        }
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        let event = match &broken {
            Broken::Event(event) => Some(*event),
            Broken::Length { found, expected } => Some((*found).min(*expected).saturating_add(1)),
            Broken::Head => None,
        };
        Self { event, problem: broken.to_string() }
    }
}

fn told(checked: usize, broken: &[(OperationId, Fault)]) -> String {
    let mut out = String::new();
    for (id, fault) in broken {
        out.push_str(&text::plain(&format!("{id}: {}", fault.problem)));
        out.push('\n');
    }
    let histories = counted(checked, "history", "histories");
    if broken.is_empty() {
        format!("checked {histories}: each is as it was written")
    } else {
        format!("{out}checked {histories}: {} broken", broken.len())
    }
}
