//! Tells what happens: what the agent asked, what the contract did, what the
//! provider saw, what the agent heard.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};

use tool_contract::Status;
use tool_contract::ledger::Query;
use tool_contract::spec::key::OperationId;

use crate::ask::Heard;
use crate::incidents::{Incident, Step};
use crate::page::Page;
use crate::stage::{Played, Stage};
use crate::story;

/// Plays incidents and tells them; what it told once it does not tell again.
#[derive(Default)]
pub(crate) struct Teller {
    /// How many events of each operation were told.
    events: HashMap<OperationId, usize>,
    /// How many lines of the provider's journal were told.
    lines: usize,
}

impl Teller {
    /// Plays one incident; returns how it ended for the agent.
    pub(crate) async fn play<W: Write>(
        &mut self,
        stage: &Stage,
        incident: &Incident,
        page: &mut Page<W>,
    ) -> Result<Option<Status>, Box<dyn Error>> {
        page.line(&format!("\n{}: {}", incident.subject, incident.title))?;
        stage.prepare(incident).await?;
        let mut last = None;
        for step in &incident.steps {
            asked(step, page)?;
            let played = stage.play(incident, step).await?;
            self.contract(stage, &played, page).await?;
            self.provider(stage, page).await?;
            for heard in &played {
                said(heard, page)?;
                last = heard.last().map(|heard| heard.status);
            }
        }
        Ok(last)
    }

    /// What the ledger has learnt since, and what it answered out of memory.
    async fn contract<W: Write>(
        &mut self,
        stage: &Stage,
        played: &Played,
        page: &mut Page<W>,
    ) -> Result<(), Box<dyn Error>> {
        let Some(ledger) = stage.runtime().and_then(|runtime| runtime.ledger()) else {
            return Ok(());
        };
        let mut lines = Vec::new();
        for (id, _) in ledger.list(Query::default()).await? {
            let events = ledger.history(id.clone()).await?;
            let told = self.events.insert(id.clone(), events.len()).unwrap_or(0);
            lines.extend(events.iter().skip(told).flat_map(|event| story::tell(&id.tool, event)));
        }
        lines.extend(played.iter().flatten().filter_map(story::ran_nothing));
        Ok(page.say_all("contract", &lines)?)
    }

    async fn provider<W: Write>(
        &mut self,
        stage: &Stage,
        page: &mut Page<W>,
    ) -> Result<(), Box<dyn Error>> {
        let books = stage.books().await?;
        let lines: Vec<_> =
            books.journal.iter().skip(self.lines).map(|entry| entry.text.clone()).collect();
        self.lines = books.journal.len();
        Ok(page.say_all("provider", &lines)?)
    }
}

fn asked<W: Write>(step: &Step, page: &mut Page<W>) -> io::Result<()> {
    match step {
        Step::Insist(ask) => page.says("agent", &ask.to_string()),
        Step::AtOnce(one, other) => {
            page.says("branch a", &one.to_string())?;
            page.says("branch b", &other.to_string())
        }
        Step::Killed(ask) => {
            page.says("agent", &ask.to_string())?;
            page.says(
                "agent",
                "killed with SIGKILL once the provider had acted; started again; asks the same",
            )
        }
        Step::Approved(ask) => {
            page.says("jo", "says yes to what waits")?;
            page.says("agent", &ask.to_string())
        }
    }
}

/// What the agent heard; what it heard several times in a row, once.
fn said<W: Write>(heard: &[Heard], page: &mut Page<W>) -> io::Result<()> {
    for same in heard.chunk_by(|one, other| one.text == other.text) {
        let Some(Heard { status, text, .. }) = same.first() else { continue };
        let word = match status {
            Status::Succeeded => "yes",
            Status::Failed => "failed",
            Status::Refused => "refused",
            Status::AwaitingApproval => "waits for a person",
            _ => "unknown",
        };
        let times =
            if same.len() > 1 { format!(" (asked {} times)", same.len()) } else { String::new() };
        let text = if text == "null" { String::new() } else { format!(": {text}") };
        page.says("hears", &format!("{word}{times}{text}"))?;
    }
    Ok(())
}
