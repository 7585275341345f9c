//! Random histories of one operation.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::coverage::Coverage;
use super::world::{Command, Reply, World};
use super::*;

fn contracts() -> impl Strategy<Value = Terms> {
    let terms = Terms { ttl: ms(60), ..terms() };
    prop_oneof![
        5 => Just(terms.clone()),
        5 => Just(Terms { repeatable: true, ..terms.clone() }),
        2 => Just(Terms { confirm: Some((ms(20), 1)), ..terms.clone() }),
        2 => Just(Terms { covered: true, ..terms.clone() }),
        1 => Just(Terms { confirm: Some((ms(20), 2)), ..terms.clone() }),
        1 => Just(Terms { repeatable: true, confirm: Some((ms(20), 1)), ..terms.clone() }),
        1 => Just(Terms { stoppable: false, ..terms.clone() }),
        1 => Just(Terms { stoppable: false, repeatable: true, ..terms }),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![4 => Just(Reply::Arrives), 1 => Just(Reply::IsLost)]
}

fn admit_command() -> impl Strategy<Value = Command> {
    let intent = prop_oneof![9 => Just(Intent::Claim), 1 => Just(Intent::RequestApproval)];
    let hash = prop_oneof![6 => Just(0_u8), 1 => Just(1)];
    (0..3_usize, contracts(), hash, intent, any::<bool>(), reply()).prop_map(
        |(caller, terms, hash, intent, bring, reply)| Command::Admit {
            caller,
            terms,
            hash,
            intent,
            bring,
            reply,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let caller = 0..3_usize;
    prop_oneof![
        6 => (1..12_u64, prop_oneof![3 => Just(0), 1 => 0..6_u64]).prop_map(|(span, lag)| Command::Tick { span, lag }),
        8 => admit_command(),
        2 => (caller.clone(), reply()).prop_map(|(caller, reply)| Command::Resend { caller, reply }),
        8 => caller.clone().prop_map(|caller| Command::Begin { caller }),
        4 => caller.clone().prop_map(|caller| Command::Act { caller }),
        5 => (caller.clone(), prop::bool::weighted(0.3)).prop_map(|(caller, unknown)| Command::End { caller, unknown }),
        4 => caller.clone().prop_map(|caller| Command::Settle { caller }),
        2 => (caller.clone(), reply()).prop_map(|(caller, reply)| Command::Renew { caller, reply }),
        1 => caller.prop_map(|caller| Command::Crash { caller }),
        3 => (0..2_usize).prop_map(|who| Command::Reconcile { who }),
        4 => (0..2_usize).prop_map(|who| Command::Look { who }),
        2 => (0..2_usize).prop_map(|who| Command::KeepLooking { who }),
        3 => (0..2_usize, prop::bool::weighted(0.2)).prop_map(|(who, cannot_tell)| Command::Report { who, cannot_tell }),
        1 => any::<bool>().prop_map(|dead| Command::Resolve { dead }),
        1 => Just(Command::Abandon),
        1 => Just(Command::Withdraw),
        4 => (0..6_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.1))
            .prop_map(|(by, deny, stale)| Command::Decide { by, deny, stale }),
        2 => any::<usize>().prop_map(|which| Command::Redeliver { which }),
    ]
}

fn history() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(command(), 1..110)
}

proptest! {
    #![proptest_config(Config { cases: 1_000, ..Config::default() })]

    /// The world checks itself after each command.
    #[test]
    fn no_history_breaks_a_promise(commands in history()) {
        let mut world = World::new();
        for command in &commands {
            world.run(command);
        }
    }
}

/// The histories come across every state, every event and every answer.
#[test]
fn histories_get_everywhere() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut coverage = Coverage::default();
    let strategy = history();
    for _ in 0..1_600 {
        let mut world = World::new();
        for command in strategy.new_tree(&mut runner).unwrap().current() {
            world.run(&command);
        }
        coverage.add(&world.coverage);
    }
    assert_eq!(coverage.names(), EVERYWHERE);
}

/// Every answer, event and state that one operation can come to; twins and lost
/// ledgers have tests of their own.
const EVERYWHERE: [&str; 64] = [
    "admitted Claimed",
    "admitted Replay",
    "admitted again",
    "admitted in doubt",
    "decided Denied",
    "decided Granted",
    "decided Pending",
    "event ApprovalDenied",
    "event ApprovalExpired",
    "event ApprovalGranted",
    "event ApprovalRequested",
    "event BecameUnknown",
    "event Claimed",
    "event Expired",
    "event LeaseLost",
    "event ReconcileBegan",
    "event ReconciledCannotTell",
    "event ReconciledDidNotHappen",
    "event ReconciledHappened",
    "event Released",
    "event ResolvedAbandoned",
    "event ResolvedDidNotHappen",
    "event ResolvedHappened",
    "event Succeeded",
    "reconciled Recorded",
    "reconciled Superseded",
    "reconciled TooEarly",
    "reconciling Claimed",
    "reconciling Refused",
    "refused Abandoned",
    "refused Approved",
    "refused AttemptsExhausted",
    "refused AwaitingApproval",
    "refused Conflict",
    "refused Denied",
    "refused Expired",
    "refused InFlight",
    "refused Limited",
    "refused NotBefore",
    "refused NothingToApprove",
    "refused OtherRequester",
    "refused Unknown",
    "refused WrongApproval",
    "resolved Recorded",
    "resolved Superseded",
    "resolved TooEarly",
    "settled Recorded",
    "settled Superseded",
    "state Abandoned",
    "state Approved",
    "state AwaitingApproval",
    "state Denied",
    "state Exhausted",
    "state Expired",
    "state Reconciling",
    "state Released",
    "state Running",
    "state Succeeded",
    "state Unknown",
    "undecided Again",
    "undecided Begun",
    "undecided Enough",
    "undecided NoRequest",
    "undecided Requester",
];
