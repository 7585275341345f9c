//! How sagas are undone, in every order of what may happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ledger::{
    ApprovalId, ApprovalRecord, Chain, Denial, Event, EventKind, Fence, Holder, Nonce, Record,
    State, StateName, Terms, Timestamp, Unknown,
};
use crate::operation::OperationHash;
use crate::policy::Remint;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

fn stepped(step: u32, pivot: bool) -> Stepped {
    let hash = OperationHash::from_bytes([u8::try_from(step % 250).unwrap(); 32]);
    Stepped { step, tool: format!("tool_{step}"), hash, pivot, noted: None }
}

fn history(notes: &[(EventKind, String)]) -> Vec<Event> {
    let event = |(at, (kind, detail)): (usize, &(EventKind, String))| Event {
        seq: u32::try_from(at).unwrap() + 1,
        at: Timestamp(at as u64),
        kind: *kind,
        fence: Fence(1),
        detail: Some(detail.clone()),
        hash: Chain::default().head,
    };
    notes.iter().enumerate().map(event).collect()
}

#[test]
fn every_child_of_the_longest_root_is_a_key() {
    let longest = key(&"k".repeat(LONGEST_ROOT));
    let last = child_key(&longest, MOST_STEPS - 1).unwrap();
    assert_eq!(last.as_str().len(), LONGEST_KEY);
    let longer = key(&"k".repeat(LONGEST_ROOT + 1));
    assert_eq!(child_key(&longer, 0), Err(MalformedKey::TooLong(LONGEST_ROOT + 1)));
    assert_eq!(child_key(&key("order-7/2"), 0).unwrap().as_str(), "order-7/2/0");
}

#[test]
fn a_step_binds_the_saga_its_place_and_what_was_given() {
    let saga = |key_text: &str| OperationId {
        tenant: None,
        tool: "place_order".into(),
        key: key(key_text),
    };
    let given = Fingerprint::of(&serde_json::json!({ "prices": 7 })).unwrap();
    let bound = fingerprint(&saga("o-7"), 3, Some(&given));
    assert_eq!(bound.as_str(), r#"{"given":{"prices":7},"saga":"place_order[o-7]","step":3}"#);
    let others = [
        fingerprint(&saga("o-7"), 3, None),
        fingerprint(&saga("o-7"), 4, Some(&given)),
        fingerprint(&saga("o-8"), 3, Some(&given)),
    ];
    assert!(others.iter().all(|other| *other != bound));
    assert_eq!(Fingerprint::parse(bound.as_str()).unwrap(), bound, "it is canonical");
}

#[test]
fn a_journal_is_read_from_the_history() {
    let read = Stepped { noted: Some(Noted::Read("7".into())), ..stepped(1, false) };
    let failed = Stepped { noted: Some(Noted::Failed("no".into())), ..stepped(2, true) };
    let detail = |stepped: &Stepped| (EventKind::Stepped, stepped.to_detail());
    let notes = [
        (EventKind::Claimed, String::new()),
        detail(&stepped(0, false)),
        detail(&stepped(0, false)),
        detail(&read),
        detail(&stepped(2, true)),
        detail(&failed),
        detail(&stepped(2, true)),
        (EventKind::Unwinding, "the first".into()),
        (EventKind::Unwinding, "the second".into()),
    ];
    let journal = Journal::read(&history(&notes)).unwrap();
    let steps = [stepped(0, false), read, failed].map(|stepped| (stepped.step, stepped));
    assert_eq!(journal.steps, BTreeMap::from(steps));
    assert_eq!(journal.unwinding.as_deref(), Some("the first"));
    assert_eq!(journal.effects().map(|stepped| stepped.step).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_journal_that_contradicts_itself_is_none() {
    let detail = |stepped: &Stepped| (EventKind::Stepped, stepped.to_detail());
    let read = |text: &str| Stepped { noted: Some(Noted::Read(text.into())), ..stepped(0, false) };
    let others = [
        (stepped(0, false), Stepped { tool: "other".into(), ..stepped(0, false) }),
        (stepped(0, false), Stepped { hash: stepped(1, false).hash, ..stepped(0, false) }),
        (stepped(0, false), stepped(0, true)),
        (read("1"), read("2")),
    ];
    for (first, second) in others {
        let notes = [detail(&first), detail(&second)];
        let expected = JournalError::Contradiction { seq: 2, step: 0 };
        assert_eq!(Journal::read(&history(&notes)), Err(expected));
    }
    let torn = [(EventKind::Stepped, "{".to_owned())];
    assert!(matches!(Journal::read(&history(&torn)), Err(JournalError::Unreadable { seq: 1, .. })));
}

fn record(state: State) -> Record {
    let terms = Terms {
        attempts: 1,
        max_total: 3,
        repeatable: false,
        reconcilable: false,
        lease: Duration::from_secs(15),
        timeout: Duration::from_secs(30),
        stoppable: true,
        settle: Duration::ZERO,
        ttl: Duration::from_hours(1),
        sliding: false,
        remint: Remint::Warn,
        confirm: None,
        saga: false,
        covered: false,
    };
    Record {
        hash: OperationHash::from_bytes([1; 32]),
        arguments: "{}".into(),
        state,
        fence: Fence(1),
        nonce: Nonce(1),
        holder: Holder(1),
        attempts: 1,
        reserved: 0,
        terms: terms.into(),
        slots: Vec::new(),
        approval: None,
        escalation: None,
        doubt: None,
        correlation_id: None,
        created_at: Timestamp(1),
        changed_at: Timestamp(1),
        chain: Chain::default(),
    }
}

/// An operation in each state, where it stands as a step, and as an undoing.
fn in_each_state() -> Vec<(State, Stand, Undoing)> {
    let (at, expires_at) = (Timestamp(1), Timestamp(2));
    let unknown = || Unknown { since: at, believed_from: None, cause: "no answer".into() };
    let no = || Denial { by: "ada".into(), why: "no".into(), signature: None };
    vec![
        (State::AwaitingApproval, Stand::Waits, Undoing::Due),
        (State::Approved, Stand::NotDone, Undoing::Due),
        (State::Denied { expires_at }, Stand::Stuck, Undoing::Due),
        (State::Running { lease_until: at }, Stand::Moving, Undoing::Due),
        (State::Released { not_before: at }, Stand::NotDone, Undoing::Due),
        (State::Exhausted { not_before: at }, Stand::Stuck, Undoing::Failed),
        (State::Succeeded { result: "1".into(), expires_at }, Stand::Done, Undoing::Done),
        (State::Unknown(unknown()), Stand::Unknown, Undoing::Failed),
        (State::Reconciling { lease_until: at, unknown: unknown() }, Stand::Moving, Undoing::Due),
        (State::Abandoned { no: no(), expires_at }, Stand::Stuck, Undoing::GivenUp),
        (State::Expired, Stand::Gone, Undoing::Done),
    ]
}

#[test]
fn where_a_step_stands_its_record_says() {
    let succeeded = history(&[(EventKind::Succeeded, String::new())]);
    let all = in_each_state();
    assert_eq!(all.len(), StateName::ALL.len());
    for (state, stand, undoing) in all {
        let record = record(state);
        assert_eq!(Stand::of(Some(&record)), stand, "{record:?}");
        assert_eq!(Undoing::of(Some(&record), &succeeded), undoing, "{record:?}");
    }
    assert_eq!((Stand::of(None), Undoing::of(None, &[])), (Stand::NotDone, Undoing::Due));
    let spent = Record { attempts: 3, ..record(State::Released { not_before: Timestamp(1) }) };
    assert_eq!(Stand::of(Some(&spent)), Stand::Stuck);
    let wants_yes =
        Terms { confirm: Some((Duration::from_mins(15), 1)), ..Terms::clone(&spent.terms) };
    let released = record(State::Released { not_before: Timestamp(1) });
    let asked = Record { terms: wants_yes.into(), ..released };
    assert_eq!(Stand::of(Some(&asked)), Stand::Waits, "nobody answered in time");
    let given_back = Record { approval: Some(Box::new(granted())), ..asked };
    assert_eq!(Stand::of(Some(&given_back)), Stand::NotDone);
    let unknown = Unknown { since: Timestamp(1), believed_from: None, cause: "gone".into() };
    let vanished = Record { reserved: 1, ..record(State::Unknown(unknown)) };
    assert_eq!(Undoing::of(Some(&vanished), &[]), Undoing::Due, "it is tried again");
    let spent = Record { attempts: 3, ..vanished };
    assert_eq!(Undoing::of(Some(&spent), &[]), Undoing::Failed, "no call tries it again");
}

#[test]
fn an_undoing_that_has_expired_is_what_its_history_says() {
    use EventKind::{Expired, ReconciledHappened, ResolvedAbandoned, ResolvedHappened, Succeeded};
    for (kind, undoing) in [
        (Succeeded, Undoing::Done),
        (ReconciledHappened, Undoing::Done),
        (ResolvedHappened, Undoing::Done),
        (ResolvedAbandoned, Undoing::GivenUp),
        (EventKind::Claimed, Undoing::Failed),
    ] {
        let events = history(&[(kind, String::new()), (Expired, String::new())]);
        assert_eq!(Undoing::of(Some(&record(State::Expired)), &events), undoing, "{kind:?}");
    }
    assert_eq!(Undoing::expired(&[]), Undoing::Failed);
}

#[test]
fn a_refusal_says_nothing_of_what_an_earlier_run_began() {
    use Refused::{Again, Failed, Person, Waits};

    use crate::rulebook::Code;

    let all = |code| {
        let cases = [(false, false), (false, true), (true, false), (true, true)];
        cases.map(|(is_committed, before)| refused(code, is_committed, before))
    };
    for code in [Code::LIMITED, Code::BREAKER_OPEN, Code::DEADLINE_PASSED] {
        assert_eq!(all(code), [Failed, Again, Again, Again], "{code}");
    }
    assert_eq!(all(Code::BUDGET_SPENT), [Failed, Person, Person, Person]);
    for (code, follows) in [
        (Code::EXPIRED, Person),
        (Code::CONFLICT, Person),
        (Code::RESULT_UNREADABLE, Person),
        (Code::ABANDONED, Failed),
        (Code::ATTEMPTS_EXHAUSTED, Failed),
        (Code::APPROVAL_DENIED, Failed),
        (Code::APPROVAL_MISSING, Waits),
        (Code::APPROVAL_VOID, Person),
        (Code::IN_FLIGHT, Again),
        (Code::NOT_BEFORE, Again),
    ] {
        assert_eq!(all(code), [follows; 4], "{code}");
    }
}

fn granted() -> ApprovalRecord {
    ApprovalRecord {
        id: ApprovalId("apr_1".into()),
        requested_by: None,
        requested_at: Timestamp(1),
        expires_at: Timestamp(2),
        quorum: 1,
        grants: Vec::new(),
        denied: None,
        denied_before: Vec::new(),
        preimage: None,
    }
}

#[test]
fn a_saga_rests_for_the_yes_that_a_step_asked_for_until_it_gives_up() {
    let at = |number, pivot, noted| Stepped { noted, ..stepped(number, pivot) };
    let failed = Some(Noted::Failed("no".into()));
    let steps = [at(0, false, None), at(1, false, failed), at(2, true, None), at(3, false, None)];
    let steps = steps.map(|stepped| (stepped.step, stepped));
    let journal = Journal { steps: BTreeMap::from(steps), unwinding: None };
    let place = |stand| Place { stand, asked: true, undoing: Undoing::Due };
    let with = |stands: [Stand; 4]| (0..).zip(stands.map(place)).collect::<BTreeMap<_, _>>();

    let before = with([Stand::Waits, Stand::Waits, Stand::NotDone, Stand::NotDone]);
    assert_eq!(rests_for(&journal, &before), Some(Why::Stuck(vec![0])), "step 1 has failed");
    assert_eq!(unwind(&journal, &before), Next::Note, "who gives up waits for nobody");
    let pivot = with([Stand::Done, Stand::NotDone, Stand::Waits, Stand::NotDone]);
    assert_eq!(rests_for(&journal, &pivot), Some(Why::Stuck(vec![2])));
    let unwinding = Journal { unwinding: Some("no".into()), ..journal.clone() };
    assert_eq!(rests_for(&unwinding, &pivot), None);
    assert_eq!(unwind(&unwinding, &pivot), Next::Undo(0));
    // There is no way around it after the pivot.
    let after = with([Stand::Done, Stand::NotDone, Stand::Done, Stand::Waits]);
    assert_eq!(rests_for(&journal, &after), Some(Why::Stuck(vec![3])));
    assert_eq!(unwind(&journal, &after), Next::Rest(Why::Stuck(vec![3])));
    let moves = with([Stand::Done, Stand::NotDone, Stand::Done, Stand::NotDone]);
    assert_eq!(rests_for(&journal, &moves), None);
}

#[test]
fn after_the_pivot_what_failed_for_good_waits_for_a_person() {
    let steps = [stepped(0, false), stepped(1, true), stepped(2, false), stepped(3, false)];
    let steps = steps.map(|stepped| (stepped.step, stepped));
    let journal = Journal { steps: BTreeMap::from(steps), unwinding: None };
    let place = |stand| Place { stand, asked: true, undoing: Undoing::Due };
    let with = |pivot, stands: [Stand; 2]| {
        let all = [Stand::Stuck, pivot, stands[0], stands[1]];
        let places = (0..).zip(all.map(place)).collect();
        unwind(&journal, &places)
    };
    assert_eq!(with(Stand::Done, [Stand::Done, Stand::NotDone]), Next::Committed);
    let why = Why::Stuck(vec![3]);
    assert_eq!(with(Stand::Done, [Stand::NotDone, Stand::Stuck]), Next::Rest(why.clone()));
    let unknown = Next::Rest(Why::Unknown(vec![2]));
    assert_eq!(with(Stand::Done, [Stand::Unknown, Stand::Stuck]), unknown);
    // Before it, what a person gave up, or nobody tries again, has just not happened.
    assert_eq!(with(Stand::Stuck, [Stand::NotDone, Stand::Stuck]), Next::Note);

    let saga = OperationId { tenant: None, tool: "order".into(), key: key("o") };
    let names = |why: &Why| -> Vec<String> {
        why.operations(&saga, &journal).iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(&why), ["tool_3[o/3]"]);
    assert_eq!(names(&Why::NotUndone(vec![1])), ["tool_1.rollback[o/1]"]);
}

/// What is true of a step, whoever knows it.
#[expect(clippy::struct_excessive_bools, reason = "each is a truth of its own")]
#[derive(Debug, Clone, Copy)]
struct Truth {
    happened: bool,
    /// How it shows at first.
    shows: Stand,
    /// Whether whoever asks learns it.
    can_be_found: bool,
    /// Whether what undoes it works.
    can_be_undone: bool,
    /// Whether a person gave up undoing it.
    given_up: bool,
}

fn truth() -> impl Strategy<Value = Truth> {
    let shows = prop::sample::select(vec![
        Stand::Done,
        Stand::Done,
        Stand::NotDone,
        Stand::Unknown,
        Stand::Moving,
        Stand::Gone,
    ]);
    let often = || prop::bool::weighted(0.8);
    (any::<bool>(), shows, often(), often(), any::<bool>()).prop_map(
        |(happened, shows, can_be_found, can_be_undone, given_up)| {
            let happened = match shows {
                Stand::Done => true,
                Stand::NotDone => false,
                _ => happened,
            };
            Truth { happened, shows, can_be_found, can_be_undone, given_up }
        },
    )
}

/// A saga in the hands of a process that dies and is followed by another.
struct Run<'t> {
    truths: &'t [Truth],
    journal: Journal,
    places: BTreeMap<u32, Place>,
    /// What was undone, in this order, over all processes.
    undone: Vec<u32>,
}

impl Run<'_> {
    fn of(truths: &[Truth], pivot: Option<usize>) -> Run<'_> {
        let numbers = 0..u32::try_from(truths.len()).unwrap();
        let is_pivot = |number: u32| pivot.is_some_and(|pivot| pivot == number as usize);
        let steps = numbers.map(|number| (number, stepped(number, is_pivot(number)))).collect();
        let journal = Journal { steps, unwinding: None };
        let mut run = Run { truths, journal, places: BTreeMap::new(), undone: Vec::new() };
        run.look(&BTreeMap::new());
        run
    }

    /// What the next process finds: the ledger's records, and nothing of what the
    /// one before it had in mind.
    fn look(&mut self, found: &BTreeMap<u32, Stand>) {
        self.places = (0..)
            .zip(self.truths)
            .map(|(number, truth)| {
                let stand = found.get(&number).copied().unwrap_or(truth.shows);
                let is_undone = self.undone.contains(&number);
                let undoing = if is_undone { Undoing::Done } else { Undoing::Due };
                (number, Place { stand, asked: false, undoing })
            })
            .collect();
    }

    fn die(&mut self) {
        let found = self.places.iter().map(|(number, place)| (*number, place.stand)).collect();
        self.look(&found);
    }

    fn truth(&self, number: u32) -> Truth {
        self.truths[number as usize]
    }

    /// Carries out what follows; `false` at the end.
    fn carry_out(&mut self, next: &Next) -> bool {
        match next {
            Next::Wait(number) | Next::FindOut(number) => {
                let truth = self.truth(*number);
                let place = self.places.get_mut(number).unwrap();
                assert!(!place.asked && place.stand != Stand::Gone);
                place.asked = true;
                if truth.can_be_found {
                    place.stand = if truth.happened { Stand::Done } else { Stand::NotDone };
                }
            }
            Next::Note => {
                assert_eq!(self.journal.unwinding, None, "it is noted once");
                self.journal.unwinding = Some("it failed".into());
            }
            Next::Undo(number) => self.undo(*number),
            Next::Undone(_) | Next::Committed | Next::Rest(_) => return false,
        }
        true
    }

    fn undo(&mut self, number: u32) {
        assert!(self.journal.unwinding.is_some(), "nothing is undone before that is noted");
        let is_known = |place: &Place| matches!(place.stand, Stand::Done | Stand::NotDone);
        assert!(self.places.values().all(is_known), "nothing is undone before all is known");
        assert!(self.truth(number).happened, "what did not happen is not undone");
        let pivot = self.journal.steps.values().find(|stepped| stepped.pivot);
        assert!(!pivot.is_some_and(|pivot| self.truth(pivot.step).happened), "after the pivot");
        assert!(!self.undone.contains(&number), "nothing is undone twice");
        let truth = self.truth(number);
        self.places.get_mut(&number).unwrap().undoing = match truth {
            Truth { can_be_undone: true, .. } => Undoing::Done,
            Truth { given_up: true, .. } => Undoing::GivenUp,
            _ => Undoing::Failed,
        };
        if truth.can_be_undone || truth.given_up {
            self.undone.push(number);
        }
    }

    /// What must be true wherever it ended.
    fn check(&self, last: &Next, ran_through: bool) {
        let happened: Vec<u32> =
            (0..).zip(self.truths).filter(|(_, truth)| truth.happened).map(|(n, _)| n).collect();
        let newest_first: Vec<u32> = happened.iter().rev().copied().collect();
        match last {
            Next::Undone(undone) => {
                assert_eq!(*undone, newest_first);
                let all: BTreeSet<_> = self.undone.iter().collect();
                assert_eq!(all, undone.iter().collect());
            }
            Next::Rest(Why::NotUndone(failed)) => {
                let can = |number: &&u32| {
                    let truth = self.truth(**number);
                    truth.can_be_undone || truth.given_up
                };
                let rest: Vec<u32> = newest_first.iter().filter(can).copied().collect();
                assert_eq!(self.undone.len(), rest.len(), "one failure stops no other");
                assert_eq!(failed.len() + rest.len(), happened.len());
            }
            Next::Rest(Why::Unknown(unknown)) => {
                assert!(!unknown.is_empty() && self.undone.is_empty());
            }
            Next::Committed => assert!(self.undone.is_empty()),
            other => panic!("it cannot end with {other:?}"),
        }
        if ran_through {
            let order: Vec<_> = self.undone.iter().rev().copied().collect();
            assert!(order.is_sorted(), "newest first: {:?}", self.undone);
        }
    }
}

proptest! {
    #[test]
    fn a_saga_is_undone_newest_first_and_never_before_all_is_known(
        truths in prop::collection::vec(truth(), 0..8),
        pivot in prop::option::of(0_usize..8),
        deaths in prop::collection::vec(0_usize..30, 0..3),
    ) {
        let mut run = Run::of(&truths, pivot);
        let mut last = unwind(&run.journal, &run.places);
        for turn in 0.. {
            prop_assert!(turn < 100, "it does not come to an end");
            if !run.carry_out(&last) {
                break;
            }
            if deaths.contains(&turn) {
                run.die();
            }
            last = unwind(&run.journal, &run.places);
        }
        // What failed is tried again by whoever follows, out of its turn.
        run.check(&last, deaths.is_empty());
    }

    #[test]
    fn a_note_reads_as_it_was_written(
        step in 0..MOST_STEPS,
        tool in "[a-z_]{1,20}",
        pivot: bool,
        noted in prop::option::of(prop_oneof![
            ".{0,40}".prop_map(Noted::Read),
            ".{0,40}".prop_map(Noted::Failed),
        ]),
    ) {
        let stepped = Stepped { step, tool, pivot, noted, ..stepped(step, pivot) };
        let notes = [(EventKind::Stepped, stepped.to_detail())];
        let journal = Journal::read(&history(&notes)).unwrap();
        prop_assert_eq!(journal.steps.get(&step), Some(&stepped));
    }
}
