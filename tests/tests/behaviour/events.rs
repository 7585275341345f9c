//! What can be read about a call afterwards: in `tracing`, and in the history
//! of its operation.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use tool_contract::ledger::{Event, EventKind, verify};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level, Metadata, Subscriber};

use crate::stage::{Ending, LEASE, Stage};
use crate::tools::{Books, Glance, book, charge, look};
use crate::world::{Act, Trouble};

/// Collects what this thread logs for `tool_contract`.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<(Level, String)>>>);

impl Collector {
    pub(crate) fn install() -> (Self, DefaultGuard) {
        // With a single dispatcher, `tracing` asks the thread that comes first
        // whether an event interests anybody, and remembers its no for all.
        static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
        KEPT.get_or_init(|| [Dispatch::new(Self::default()), Dispatch::new(Self::default())]);
        let collector = Self::default();
        let guard = tracing::subscriber::set_default(collector.clone());
        (collector, guard)
    }

    /// The lines, oldest first: the message, and ` name=value` for each field.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// The messages of this level.
    fn at(&self, level: Level) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|(of, _)| *of == level).map(|(_, line)| line.clone()).collect()
    }

    fn messages(&self) -> Vec<String> {
        self.lines()
            .iter()
            .map(|line| line.split('|').next().unwrap_or_default().trim().to_owned())
            .collect()
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tool_contract"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let line = format!("{} |{}", line.message, line.fields);
        self.0.lock().unwrap().push((*event.metadata().level(), line));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            write!(self.fields, " {}={value:?}", field.name()).unwrap();
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.fields, " {}={value}", field.name()).unwrap();
    }
}

#[tokio::test]
async fn a_call_says_what_it_does() {
    let (collector, _guard) = Collector::install();
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(collector.messages(), ["claimed", "attempted", "attempted", "succeeded"]);
    let lines = collector.lines();
    assert!(lines[0].contains("id=charge[k]") && lines[0].contains("attempts=3"), "{lines:?}");
    assert!(
        lines[1].contains("class=retryable_failure(rate_limited)")
            && lines[1].contains("row=Retry"),
        "{lines:?}"
    );
    assert!(lines[2].contains("attempt=2") && lines[2].contains("row=Success"), "{lines:?}");

    charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(collector.messages()[4..], ["replayed"]);
    charge("o".into(), 2).key("k").call(&stage.runtime).await.unwrap_err();
    assert_eq!(collector.messages()[5..], ["refused"]);
    assert!(collector.lines()[5].contains("Conflict"), "{:?}", collector.lines());
}

#[tokio::test]
async fn what_a_person_has_to_look_at_is_a_warning() {
    let (collector, _guard) = Collector::install();
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    let warnings = collector.at(Level::WARN);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("outcome unknown") && warnings[0].contains("no answer"),
        "{warnings:?}"
    );

    stage.ledger.fail(
        tool_contract::testing::Step::Admit,
        tool_contract::testing::Fault::Lost,
        usize::MAX,
    );
    charge("o".into(), 1).key("k2").call(&stage.runtime).await.ledgerless();
    let warnings = collector.at(Level::WARN);
    assert!(warnings[1].starts_with("not admitted"), "{warnings:?}");
}

#[tokio::test]
async fn a_read_that_fails_and_a_reconcile_function_are_heard_too() {
    let (collector, _guard) = Collector::install();
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Down));
    look("o".into()).call(&stage.runtime).await.unwrap();
    assert_eq!(collector.messages(), ["read failed"]);

    let runtime = stage.builder().state(Books::default()).build().unwrap();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    book("s".into()).key("k").call(&runtime).await.unwrap();
    assert_eq!(collector.messages()[1..], ["claimed", "attempted", "reconciled"]);
}

// ---- the history ----

#[tokio::test]
async fn every_transition_is_in_the_history() {
    let stage = Stage::new();
    let books = Books::default();
    let runtime = stage.builder().state(books.clone()).build().unwrap();
    let call = || book("s".into()).key("k").call(&runtime);

    stage.world.then(Act::Fail(Trouble::Invalid));
    call().await.failed();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    books.then(Glance::Fail);
    call().await.unknown();
    stage.clock.advance(LEASE);
    call().await.unwrap();

    use EventKind::{
        Attempted, BecameUnknown, Claimed, ReconcileBegan, ReconciledCannotTell,
        ReconciledDidNotHappen, Released, Succeeded,
    };
    let kinds = stage.kinds("book", "k").await;
    assert_eq!(kinds[..3], [Claimed, Attempted, Released]);
    assert_eq!(kinds[3..6], [Claimed, Attempted, BecameUnknown]);
    assert_eq!(kinds[6..8], [ReconcileBegan, ReconciledCannotTell]);
    assert_eq!(kinds[8..], [ReconcileBegan, ReconciledDidNotHappen, Claimed, Succeeded]);
}

#[tokio::test]
async fn a_history_that_was_changed_is_found_out() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    let chain = stage.record("charge", "k").await.unwrap().chain;
    let events = stage.history("charge", "k").await;
    assert_eq!(events.len(), 3);

    let changed = |change: fn(&mut Vec<Event>)| {
        let mut events = events.clone();
        change(&mut events);
        verify(&events, &chain)
    };
    assert_eq!(changed(|_| {}), Ok(()));
    changed(|events| events[1].detail = None).unwrap_err();
    changed(|events| events[0].at.0 += 1).unwrap_err();
    changed(|events| drop(events.pop())).unwrap_err();
    changed(|events| drop(events.remove(1))).unwrap_err();
    changed(|events| events.swap(0, 1)).unwrap_err();
}
