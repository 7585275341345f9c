//! `sagas show`: the steps of a saga in their order.

use std::fmt::Write as _;

use serde::Serialize;
use tool_contract_runtime::ledger::Record;
use tool_contract_runtime::saga::StepStory;

use super::story::{self, Told};
use crate::End;
use crate::args::Show;
use crate::ledger::next::{self, Next};
use crate::ledger::stand;
use crate::ledger::view::{Line, Stored};
use crate::operator::text::{plain, table};
use crate::operator::{Desk, Kind, Problem, find, time};

#[derive(Debug, Serialize)]
struct Document<'r> {
    #[serde(flatten)]
    line: Line<'r>,
    saga: &'static str,
    steps: usize,
    undone: usize,
    arguments: Stored,
    cause: Option<&'r str>,
    error: Option<&'r str>,
    timeline: Vec<Row<'r>>,
    next: &'r [Next],
}

#[derive(Debug, Serialize)]
struct Row<'r> {
    step: u32,
    tool: &'r str,
    key: &'r str,
    pivot: bool,
    noted_at: String,
    state: String,
    since: Option<String>,
    attempts: u32,
    escalation: Option<&'r str>,
    error: Option<&'r str>,
    undoing: Option<Undoing<'r>>,
}

#[derive(Debug, Serialize)]
struct Undoing<'r> {
    tool: &'r str,
    key: &'r str,
    state: String,
    since: String,
    attempts: u32,
    escalation: Option<&'r str>,
}

pub(super) async fn run(desk: &Desk, args: &Show) -> Result<End, Problem> {
    let (id, record) = find::one(desk, &args.key, &args.among).await?;
    if !record.terms.saga {
        let problem = Problem::new(Kind::NotFound, format!("{id} is no saga"));
        return Err(problem.help(format!("`{}` shows it", desk.command("show", &id, ""))));
    }
    let story = Told::read(&*desk.ledger, id, record, desk.now).await?;
    let next = match story.word() {
        "rests" => next::of_saga(desk, &story).await?,
        _ => next::of_ended(&story.record).into_iter().collect(),
    };
    let shown = Shown { desk, story: &story, next };
    desk.say(&shown.document(), || shown.told())?;
    Ok(End::Fine)
}

struct Shown<'r> {
    desk: &'r Desk,
    story: &'r Told,
    next: Vec<Next>,
}

impl Shown<'_> {
    fn document(&self) -> Document<'_> {
        let story = self.story;
        Document {
            line: Line::of(&story.id, &story.record, self.desk.now),
            saga: story.word(),
            steps: story.steps.len(),
            undone: story.undone(),
            arguments: Stored::of(&story.record.arguments),
            cause: story.cause(),
            error: story.gave_up().map(|(_, error)| error),
            timeline: story.steps.iter().map(|step| self.step(step)).collect(),
            next: &self.next,
        }
    }

    fn step<'s>(&self, step: &'s StepStory) -> Row<'s> {
        let now = self.desk.now;
        let record = step.record.as_ref();
        let undoing = step.undoing.as_ref().map(|(id, record)| Undoing {
            tool: &id.tool,
            key: id.key.as_str(),
            state: stand::word(record, now),
            since: time::iso(stand::since(record, now)),
            attempts: record.attempts,
            escalation: escalation(record),
        });
        Row {
            step: step.stepped.step,
            tool: &step.stepped.tool,
            key: step.id.key.as_str(),
            pivot: step.stepped.pivot,
            noted_at: time::iso(self.story.noted_at(step)),
            state: story::word(step, now),
            since: record.map(|record| time::iso(stand::since(record, now))),
            attempts: record.map_or(0, |record| record.attempts),
            escalation: record.and_then(escalation),
            error: story::error(step),
            undoing,
        }
    }

    fn told(&self) -> String {
        let (story, now) = (self.story, self.desk.now);
        let since = time::both(stand::since(&story.record, now), now);
        let word = story.word();
        let mut out = format!("{}: {word} since {since}\n", plain(&story.id.to_string()));
        // Writing into a String cannot fail.
        if let Some(cause) = story.cause() {
            let _ = writeln!(out, "  when it came to rest: {}", plain(cause));
        }
        let _ = writeln!(out, "  arguments {}\n", plain(&story.record.arguments));
        out.push_str(&self.forward());
        if let Some((at, error)) = story.gave_up() {
            let _ = writeln!(out, "\nIt gave up {}: {}", time::utc(at), plain(error));
        }
        out.push_str(&self.back());
        if !self.next.is_empty() {
            let _ = write!(out, "\nNext\n{}", next::told(&self.next));
        }
        out.trim_end().to_owned()
    }

    /// The steps in the order in which they were made.
    fn forward(&self) -> String {
        if self.story.steps.is_empty() {
            return "no steps\n".to_owned();
        }
        let rows: Vec<Vec<String>> = self.story.steps.iter().map(|step| self.row(step)).collect();
        let titles =
            ["STEP", "TOOL", "KEY", "STATE", "ATTEMPTS", "BEGAN", "SINCE", "ESCALATION", "ERROR"];
        table(&titles, &rows)
    }

    fn row(&self, step: &StepStory) -> Vec<String> {
        let now = self.desk.now;
        let pivot = if step.stepped.pivot { " (pivot)" } else { "" };
        let of = |f: &dyn Fn(&Record) -> String| step.record.as_ref().map(f).unwrap_or_default();
        vec![
            step.stepped.step.to_string(),
            format!("{}{pivot}", step.stepped.tool),
            step.id.key.to_string(),
            story::word(step, now),
            of(&|record| record.attempts.to_string()),
            time::utc(self.story.noted_at(step)),
            of(&|record| time::utc(stand::since(record, now))),
            of(&|record| escalation(record).unwrap_or_default().to_owned()),
            story::error(step).unwrap_or_default().to_owned(),
        ]
    }

    /// What undid them, newest step first.
    fn back(&self) -> String {
        let now = self.desk.now;
        let undoings = self.story.steps.iter().rev().filter_map(|step| {
            let (id, record) = step.undoing.as_ref()?;
            Some(vec![
                step.stepped.step.to_string(),
                id.tool.to_string(),
                id.key.to_string(),
                stand::word(record, now),
                record.attempts.to_string(),
                time::utc(record.created_at),
                time::utc(stand::since(record, now)),
                escalation(record).unwrap_or_default().to_owned(),
            ])
        });
        let rows: Vec<Vec<String>> = undoings.collect();
        if rows.is_empty() {
            return String::new();
        }
        table(
            &["STEP", "UNDOING", "KEY", "STATE", "ATTEMPTS", "BEGAN", "SINCE", "ESCALATION"],
            &rows,
        )
    }
}

fn escalation(record: &Record) -> Option<&str> {
    record.escalation.as_ref().map(|id| &*id.0)
}
