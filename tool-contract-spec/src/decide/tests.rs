//! `decide` over its whole domain, against a table written out by hand.

use proptest::prelude::*;

use super::*;
use crate::outcome::Cause;
use crate::policy::{DedupedBy, Idempotency, Reconcile, RetryOn, SideEffect};

/// What makes a repetition harmless, as far as the decision cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Never,
    Ledger,
    Downstream,
    Nature,
}

/// Classes that the matrix treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Success,
    Final,
    Retryable,
    Unknown,
}

use Group::{Final, Retryable, Success, Unknown};
use Kind::{Downstream, Ledger, Nature, Never, Read};

/// The matrix. Of each row, the four letters are for: the class is in `on` and
/// a retry has room; in `on`, no room; not in `on`, room; neither.
///
/// `C` continue, `S` stop, `R` retry, `F` find out: reconcile where there is a
/// function, else escalate.
const TABLE: [(Kind, Group, Doubt, &str); 40] = [
    (Read, Success, Doubt::No, "CCCC"),
    (Read, Success, Doubt::Yes, "CCCC"),
    (Read, Final, Doubt::No, "SSSS"),
    (Read, Final, Doubt::Yes, "SSSS"),
    (Read, Retryable, Doubt::No, "RSSS"),
    (Read, Retryable, Doubt::Yes, "RSSS"),
    (Read, Unknown, Doubt::No, "RSRS"),
    (Read, Unknown, Doubt::Yes, "RSRS"),
    //
    (Never, Success, Doubt::No, "CCCC"),
    (Never, Success, Doubt::Yes, "CCCC"),
    (Never, Final, Doubt::No, "SSSS"),
    (Never, Final, Doubt::Yes, "FFFF"),
    (Never, Retryable, Doubt::No, "SSSS"),
    (Never, Retryable, Doubt::Yes, "FFFF"),
    (Never, Unknown, Doubt::No, "FFFF"),
    (Never, Unknown, Doubt::Yes, "FFFF"),
    //
    (Ledger, Success, Doubt::No, "CCCC"),
    (Ledger, Success, Doubt::Yes, "CCCC"),
    (Ledger, Final, Doubt::No, "SSSS"),
    (Ledger, Final, Doubt::Yes, "FFFF"),
    (Ledger, Retryable, Doubt::No, "RSSS"),
    (Ledger, Retryable, Doubt::Yes, "FFFF"),
    (Ledger, Unknown, Doubt::No, "FFFF"),
    (Ledger, Unknown, Doubt::Yes, "FFFF"),
    //
    (Downstream, Success, Doubt::No, "CCCC"),
    (Downstream, Success, Doubt::Yes, "CCCC"),
    (Downstream, Final, Doubt::No, "SSSS"),
    (Downstream, Final, Doubt::Yes, "SSSS"),
    (Downstream, Retryable, Doubt::No, "RSSS"),
    (Downstream, Retryable, Doubt::Yes, "RFFF"),
    (Downstream, Unknown, Doubt::No, "RFFF"),
    (Downstream, Unknown, Doubt::Yes, "RFFF"),
    //
    (Nature, Success, Doubt::No, "CCCC"),
    (Nature, Success, Doubt::Yes, "CCCC"),
    (Nature, Final, Doubt::No, "SSSS"),
    (Nature, Final, Doubt::Yes, "FFFF"),
    (Nature, Retryable, Doubt::No, "RSSS"),
    (Nature, Retryable, Doubt::Yes, "RFFF"),
    (Nature, Unknown, Doubt::No, "RFFF"),
    (Nature, Unknown, Doubt::Yes, "RFFF"),
];

/// Whether an earlier attempt may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    No,
    Yes,
}

fn group(class: OutcomeClass) -> Group {
    match class {
        OutcomeClass::Success => Success,
        OutcomeClass::ValidationFailure
        | OutcomeClass::PermissionDenied
        | OutcomeClass::PermanentFailure => Final,
        OutcomeClass::RetryableFailure(_) => Retryable,
        OutcomeClass::SideEffectUnknown => Unknown,
    }
}

/// The tools that are of one kind: with each side effect that it may have.
fn tools(kind: Kind) -> Vec<Policy> {
    let keyed = |by| Idempotency::Keyed { by, template: None };
    let idempotency = match kind {
        Read => Idempotency::Read,
        Never => Idempotency::Never,
        Ledger => keyed(DedupedBy::Ledger),
        Downstream => keyed(DedupedBy::Downstream),
        Nature => keyed(DedupedBy::Nature),
    };
    let side_effects: &[SideEffect] = if kind == Read {
        &[SideEffect::Read]
    } else {
        &[SideEffect::Write, SideEffect::Destructive]
    };
    let tool = |side_effect: &SideEffect| Policy {
        side_effect: *side_effect,
        idempotency: idempotency.clone(),
        ..example_policy()
    };
    side_effects.iter().map(tool).collect()
}

/// The set that names this class alone, and the set that names all but it.
fn listed(class: OutcomeClass) -> RetryOn {
    match class {
        OutcomeClass::RetryableFailure(cause) => RetryOn::NOTHING.with(cause),
        OutcomeClass::SideEffectUnknown => RetryOn::NOTHING.with_unknown(),
        _ => RetryOn::RETRYABLE.with_unknown(),
    }
}

fn unlisted(class: OutcomeClass) -> RetryOn {
    match class {
        OutcomeClass::RetryableFailure(cause) => {
            let others = Cause::ALL.into_iter().filter(|other| *other != cause);
            others.fold(RetryOn::NOTHING.with_unknown(), RetryOn::with)
        }
        OutcomeClass::SideEffectUnknown => RetryOn::RETRYABLE,
        _ => RetryOn::NOTHING,
    }
}

const MAX: u32 = 3;
const MAX_TOTAL: u32 = 7;
const SECOND: Duration = Duration::from_secs(1);
/// The delay after each attempt of these tools.
const WAIT: Duration = SECOND;

/// Where a call may stand: its progress, the budget, whether a retry has room.
fn standings(reads: bool) -> Vec<(Progress, Option<Duration>, bool)> {
    let mut standings = Vec::new();
    for (attempt, attempts_left) in
        [(1, true), (MAX - 1, true), (MAX, false), (MAX + 1, false), (u32::MAX, false)]
    {
        for (total, total_left) in
            [(1, true), (MAX_TOTAL - 1, true), (MAX_TOTAL, false), (u32::MAX, false)]
        {
            for (budget, budget_left) in [
                (None, true),
                (Some(WAIT * 9), true),
                (Some(WAIT * 8), false),
                (Some(WAIT * 7), false),
            ] {
                for (remaining, time_left) in [
                    (None, true),
                    (Some(WAIT * 2), true),
                    (Some(WAIT), false),
                    (Some(Duration::ZERO), false),
                ] {
                    let elapsed = WAIT * 7;
                    let progress = Progress { attempt, total, elapsed, remaining, in_doubt: false };
                    // A read has no key, and so nothing that counts its attempts
                    // over all calls.
                    let total_left = total_left || reads;
                    standings.push((
                        progress,
                        budget,
                        attempts_left && total_left && budget_left && time_left,
                    ));
                }
            }
        }
    }
    standings
}

/// What the letter of the table stands for.
fn fits(letter: char, step: NextStep, reconcilable: bool) -> bool {
    let found_out = if reconcilable { NextStep::Reconcile } else { NextStep::Escalate };
    match letter {
        'C' => step == NextStep::Continue,
        'S' => step == NextStep::Stop,
        'R' => step == NextStep::RetryAfter { floor: WAIT, ceiling: WAIT },
        'F' => step == found_out,
        letter => unreachable!("no such letter: {letter}"),
    }
}

#[test]
fn the_whole_domain_is_decided_as_the_table_says() {
    let mut cases = 0;
    for (kind, classes, doubt, letters) in TABLE {
        let letters: Vec<char> = letters.chars().collect();
        for class in OutcomeClass::ALL.into_iter().filter(|class| group(*class) == classes) {
            for (at, on) in [(0, listed(class)), (2, unlisted(class))] {
                for (progress, budget, room) in standings(kind == Read) {
                    let letter = letters[at + usize::from(!room)];
                    let progress = Progress { in_doubt: doubt == Doubt::Yes, ..progress };
                    cases += check_each_tool(kind, class, on, budget, progress, letter);
                }
            }
        }
    }
    // 10 classes × (a read + 4 kinds × write, destructive × with reconcile,
    // without) × doubt × on × 5 × 4 × 4 × 4 standings.
    assert_eq!(cases, 10 * 17 * 2 * 2 * 320);
}

fn check_each_tool(
    kind: Kind,
    class: OutcomeClass,
    on: RetryOn,
    budget: Option<Duration>,
    progress: Progress,
    letter: char,
) -> u32 {
    let mut cases = 0;
    for tool in tools(kind) {
        let reconciles: &[bool] = if kind == Read { &[false] } else { &[false, true] };
        for reconcilable in reconciles {
            let policy = Policy {
                retry: Retry { max: MAX, max_total: MAX_TOTAL, on, budget, ..steady() },
                reconcile: reconcilable.then(|| Reconcile { with: "find".into(), settle: SECOND }),
                ..tool.clone()
            };
            let decision = decide(&policy, class.into(), progress);
            assert!(
                fits(letter, decision.step, *reconcilable),
                "{kind:?} {:?} {class} {progress:?} on {:?}, budget {budget:?}: the table says {letter}, decided {decision:?}",
                policy.side_effect,
                on.words(),
            );
            assert!(explains(decision), "{decision:?}");
            cases += 1;
        }
    }
    cases
}

/// One second after each attempt.
const fn steady() -> Retry {
    Retry { backoff: Backoff::Constant, base: WAIT, jitter: Jitter::None, ..Retry::ONCE }
}

/// Whether the row that is shown to people says what was decided.
fn explains(decision: Decision) -> bool {
    match decision.step {
        NextStep::Continue => decision.row == Row::Success,
        NextStep::Stop => matches!(decision.row, Row::Final | Row::NoRetry | Row::UnknownReadSpent),
        NextStep::RetryAfter { .. } => {
            matches!(decision.row, Row::Retry | Row::UnknownRead | Row::UnknownRepeatable)
        }
        NextStep::Reconcile => matches!(decision.row, Row::Doubt | Row::UnknownReconcilable),
        NextStep::Escalate => matches!(decision.row, Row::Doubt | Row::Unknown),
    }
}

#[test]
fn the_table_has_each_case_once() {
    let mut cases: Vec<_> = TABLE
        .iter()
        .map(|(kind, group, doubt, _)| format!("{kind:?} {group:?} {doubt:?}"))
        .collect();
    cases.sort();
    cases.dedup();
    assert_eq!(cases.len(), 5 * 4 * 2);
}

// ---- delays ----

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn the_default_backoff_doubles_from_200_ms_up_to_10_s() {
    let retry = Retry { jitter: Jitter::None, ..Retry::ONCE };
    let table = [
        (1, ms(200)),
        (2, ms(400)),
        (3, ms(800)),
        (4, ms(1_600)),
        (5, ms(3_200)),
        (6, ms(6_400)),
        (7, ms(10_000)),
        (8, ms(10_000)),
        (20, ms(10_000)),
        (33, ms(10_000)),
        (u32::MAX, ms(10_000)),
    ];
    for (attempt, wait) in table {
        assert_eq!(delay(&retry, attempt, None), (wait, wait), "after attempt {attempt}");
        let full = Retry { jitter: Jitter::Full, ..retry.clone() };
        assert_eq!(delay(&full, attempt, None), (Duration::ZERO, wait), "after attempt {attempt}");
    }
}

#[test]
fn a_constant_backoff_stays_and_is_capped() {
    let retry = Retry { base: ms(300), ..steady() };
    for attempt in [1, 2, 9, u32::MAX] {
        assert_eq!(delay(&retry, attempt, None), (ms(300), ms(300)));
    }
    let capped = Retry { base: ms(300), cap: ms(50), ..steady() };
    assert_eq!(delay(&capped, 1, None), (ms(50), ms(50)));
}

#[test]
fn what_the_other_side_asked_for_comes_before_the_backoff() {
    let exact = Retry { base: ms(300), ..steady() };
    assert_eq!(delay(&exact, 1, Some(ms(5_000))), (ms(5_300), ms(5_300)));
    let full = Retry { jitter: Jitter::Full, ..exact };
    assert_eq!(delay(&full, 1, Some(ms(5_000))), (ms(5_000), ms(5_300)));
    assert_eq!(delay(&full, 1, Some(Duration::MAX)), (Duration::MAX, Duration::MAX));
}

fn spans() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
        5 => (0u64..30_000).prop_map(Duration::from_millis),
        1 => any::<u64>().prop_map(Duration::from_nanos),
    ]
}

fn retries() -> impl Strategy<Value = Retry> {
    let counts = (1u32..=20, 1u32..=30, any::<u8>());
    (counts, any::<bool>(), any::<bool>(), spans(), spans(), proptest::option::of(spans()))
        .prop_map(|((max, max_total, on), exponential, full, base, cap, budget)| Retry {
            max,
            max_total,
            on: RetryOn::from_bits(on),
            backoff: if exponential { Backoff::Exponential } else { Backoff::Constant },
            base,
            cap,
            jitter: if full { Jitter::Full } else { Jitter::None },
            budget,
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    let kinds = prop_oneof![Just(Read), Just(Never), Just(Ledger), Just(Downstream), Just(Nature)];
    (kinds, any::<proptest::sample::Index>(), retries(), any::<bool>()).prop_map(
        |(kind, at, retry, reconcilable)| {
            let tools = tools(kind);
            let reconcile = (reconcilable && kind != Read)
                .then(|| Reconcile { with: "find".into(), settle: Reconcile::DEFAULT_SETTLE });
            Policy { retry, reconcile, ..at.get(&tools).clone() }
        },
    )
}

fn progresses() -> impl Strategy<Value = Progress> {
    let counts = prop_oneof![9 => 1u32..15, 1 => Just(u32::MAX)];
    (counts.clone(), counts, spans(), proptest::option::of(spans()), any::<bool>()).prop_map(
        |(attempt, total, elapsed, remaining, in_doubt)| Progress {
            attempt,
            total,
            elapsed,
            remaining,
            in_doubt,
        },
    )
}

fn classes() -> impl Strategy<Value = OutcomeClass> {
    proptest::sample::select(OutcomeClass::ALL.to_vec())
}

const fn is_retry(decision: Decision) -> bool {
    matches!(decision.step, NextStep::RetryAfter { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn a_delay_lies_between_what_was_asked_for_and_that_plus_the_cap(
        retry in retries(),
        attempt in prop_oneof![0u32..40, any::<u32>()],
        asked in proptest::option::of(spans()),
    ) {
        let (floor, ceiling) = delay(&retry, attempt, asked);
        prop_assert!(floor <= ceiling);
        prop_assert!(floor >= asked.unwrap_or_default());
        prop_assert!(ceiling <= asked.unwrap_or_default().saturating_add(retry.cap));
    }

    #[test]
    fn a_delay_never_passes_the_budget_or_the_deadline(
        policy in policies(),
        class in classes(),
        asked in proptest::option::of(spans()),
        progress in progresses(),
    ) {
        let outcome = Outcome::new(class).with_retry_after(asked);
        if let NextStep::RetryAfter { floor, ceiling } = decide(&policy, outcome, progress).step {
            prop_assert!(floor <= ceiling);
            prop_assert!(ceiling <= asked.unwrap_or_default().saturating_add(policy.retry.cap));
            if let Some(remaining) = progress.remaining {
                prop_assert!(ceiling <= remaining && floor < remaining);
            }
            if let Some(budget) = policy.retry.budget {
                prop_assert!(progress.elapsed.saturating_add(ceiling) <= budget);
            }
        }
    }

    #[test]
    fn a_wish_of_the_other_side_never_allows_a_retry(
        policy in policies(),
        class in classes(),
        asked in spans(),
        progress in progresses(),
    ) {
        let without = decide(&policy, class.into(), progress);
        let with = decide(&policy, Outcome::new(class).with_retry_after(Some(asked)), progress);
        prop_assert!(!is_retry(with) || is_retry(without));
        // What it does not allow to be retried, it does not change at all.
        prop_assert!(is_retry(without) || with == without);
    }

    #[test]
    fn nothing_is_retried_beyond_its_attempts(
        policy in policies(),
        class in classes(),
        progress in progresses(),
    ) {
        let decision = decide(&policy, class.into(), progress);
        prop_assert!(explains(decision));
        if is_retry(decision) {
            prop_assert!(progress.attempt < policy.retry.max);
            prop_assert!(policy.is_read() || progress.total < policy.retry.max_total);
        }
    }

    #[test]
    fn what_may_have_happened_never_ends_as_if_it_had_not(
        policy in policies(),
        class in classes(),
        asked in proptest::option::of(spans()),
        progress in progresses(),
    ) {
        let outcome = Outcome::new(class).with_retry_after(asked);
        let in_doubt = progress.in_doubt || class == OutcomeClass::SideEffectUnknown;
        let answered_downstream = policy.is_deduped_downstream() && group(class) == Final;
        if in_doubt && !policy.is_read() && !answered_downstream {
            prop_assert_ne!(decide(&policy, outcome, progress).step, NextStep::Stop);
        }
        // And it is repeated only where somebody makes that harmless.
        if in_doubt && is_retry(decide(&policy, outcome, progress)) {
            prop_assert!(policy.is_read() || policy.is_repeatable());
        }
    }
}
