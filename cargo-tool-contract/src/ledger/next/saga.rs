//! What can be done about a saga that rests.

use tool_contract_runtime::ledger::{Record, State, Timestamp};
use tool_contract_runtime::saga::{StepStory, Story};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{Noted, Stand};

use super::{Next, steps};
use crate::ledger::part::Part;
use crate::ledger::stand;
use crate::operator::word::WHY;
use crate::operator::{Desk, Problem};

/// What stands for what a saga came to.
const OUTCOME: &str = "--happened OUTCOME";

/// How a saga goes on.
const AGAIN: &str = "call it again with its key, or `runtime.recover()`";

/// What has to be seen to first where a saga rests for something that none of its
/// records shows. Its cause names the code.
const FIRST: [(Code, &str); 5] = [
    (Code::BUDGET_SPENT, "give its workflow a larger budget"),
    (Code::SAGA_CHANGED, "run the code that began it"),
    (Code::APPROVAL_VOID, "see to it that it is called as people were asked"),
    (Code::CONFLICT, "see to what it came to rest for"),
    (Code::RESULT_UNREADABLE, "see to what it came to rest for"),
];

/// The ways to go on with a saga that rests: what it waits for, with the ways to go
/// on with that; then the saga itself.
pub(crate) async fn of_saga(desk: &Desk, story: &Story) -> Result<Vec<Next>, Problem> {
    let story = as_found(story, desk.now);
    let mut next = Vec::new();
    let waits_for = story.waits_for();
    for id in &waits_for {
        next.extend(awaited(desk, &story, id).await?);
    }
    let then =
        if waits_for.is_empty() { on_its_own(&story, desk.now) } else { then(&story, &waits_for) };
    next.extend(then.into_iter().map(|when| Next { when, command: None }));
    let when = "if its steps were finished or undone by hand (OUTCOME is what it came to, \
                {\"finished\":RESULT} or {\"undone\":{\"error\":WHY,\"steps\":[]}}, as JSON)";
    let say = desk.command("resolve", &story.id, &format!("{OUTCOME} --why {WHY}"));
    next.push(Next { when: when.to_owned(), command: Some(say) });
    Ok(next)
}

/// The story, with the requests and grants of its steps as the next step will find them:
/// they may have run out.
fn as_found(story: &Story, now: Timestamp) -> Story {
    let mut story = story.clone();
    for record in story.steps.iter_mut().filter_map(|step| step.record.as_mut()) {
        if matches!(record.state, State::AwaitingApproval | State::Approved) {
            *record = stand::at(record, now);
        }
    }
    story
}

/// One operation that a saga waits for, and the ways to go on with it.
async fn awaited(desk: &Desk, story: &Story, id: &OperationId) -> Result<Vec<Next>, Problem> {
    let Some(record) = desk.ledger.find(id.clone()).await? else { return Ok(Vec::new()) };
    let record = stand::at(&record, desk.now);
    let rests = record.terms.saga && record.state.name().is_escalated();
    let how = match stand::name(&record) {
        _ if stand::is_unanswered(&record) => "whose request expired".to_owned(),
        "rests" => "which rests".to_owned(),
        name => format!("which is {name}"),
    };
    let group = if rests { "sagas" } else { "ledger" };
    let show = desk.command_in(group, "show", id, "");
    let mut next = vec![Next { when: format!("it waits for {id}, {how}"), command: Some(show) }];
    if !rests {
        let step = story.steps.iter().find(|step| step.id == *id);
        let part =
            step.map_or(Part::Step, |step| Part::of_step(&story.journal, id, step.stepped.step));
        next.extend(steps(desk, id, &record, Some(part), false));
    }
    Ok(next)
}

/// How it goes on once people have seen to what it waits for. Whom nobody answered, only
/// its caller can ask again.
fn then(story: &Story, waits_for: &[OperationId]) -> Vec<String> {
    let is_unanswered = |id: &OperationId| {
        let step = story.steps.iter().find(|step| step.id == *id);
        step.and_then(|step| step.record.as_ref()).is_some_and(stand::asks_anew)
    };
    if waits_for.iter().all(is_unanswered) {
        return Vec::new();
    }
    vec![format!("then {AGAIN}: it goes on")]
}

/// How it goes on where no step needs anybody.
fn on_its_own(story: &Story, now: Timestamp) -> Vec<String> {
    if is_torn(story) {
        return Vec::new();
    }
    let cause = match stand::at(&story.record, now).state {
        State::Unknown(unknown) => unknown.cause,
        _ => "".into(),
    };
    let is_named = |code: Code| cause.contains(&format!("[{code}]"));
    if let Some((_, first)) = FIRST.iter().find(|(code, _)| is_named(*code)) {
        return vec![format!("{first} first; then {AGAIN}: it goes on")];
    }
    let answered: Vec<String> = story.steps.iter().filter_map(|step| answer(story, step)).collect();
    if answered.is_empty() { vec![format!("{AGAIN}: it goes on")] } else { answered }
}

/// What people have said to a step that asked for their yes.
fn answer(story: &Story, step: &StepStory) -> Option<String> {
    let (number, record) = (step.stepped.step, step.record.as_ref()?);
    if story.journal.unwinding.is_some() || step.stepped.noted.is_some() {
        return None;
    }
    match &record.state {
        State::Approved => Some(format!("step {number} is approved: {AGAIN}: it goes on")),
        State::Denied { .. } => {
            let by = refused_by(record);
            Some(format!("step {number} was refused{by}: {AGAIN}: it is undone"))
        }
        _ => None,
    }
}

fn refused_by(record: &Record) -> String {
    let denied = record.approval.as_ref().and_then(|approval| approval.denied.as_ref());
    denied.map(|no| format!(" by {}", no.by)).unwrap_or_default()
}

/// Whether it gave up, and its pivot happened: it goes neither forward nor back.
fn is_torn(story: &Story) -> bool {
    let happened = |step: &StepStory| {
        let is_read = matches!(step.stepped.noted, Some(Noted::Read(_)));
        is_read || Stand::of(step.record.as_ref()) == Stand::Done
    };
    let is_committed = story.steps.iter().any(|step| step.stepped.pivot && happened(step));
    is_committed && story.journal.unwinding.is_some()
}
