//! The history, and that it cannot be changed unseen.

use super::*;

/// An operation with a long history: lost, reconciled, released, run again.
fn long() -> Bench {
    let mut bench = Bench::default();
    bench.claim(&admission(1, terms()));
    let fence = bench.at(LEASE).reconcile(8);
    bench.finish(fence, &Finding::CannotTell { why: "no idea".into() });
    bench.at(90).resolve(Resolved::DidNotHappen { holder_is_dead: false });
    let claim = bench.claim(&admission(2, terms()));
    bench.settle(claim.fence, 1, happened("7"));
    bench.at(90 + TTL).refusal(&admission(3, terms()));
    bench
}

#[test]
fn it_tells_what_happened() {
    let kinds: Vec<_> = long().events.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::Claimed,
        EventKind::LeaseLost,
        EventKind::ReconcileBegan,
        EventKind::ReconciledCannotTell,
        EventKind::ResolvedDidNotHappen,
        EventKind::Claimed,
        EventKind::Succeeded,
        EventKind::Expired,
    ];
    assert_eq!(kinds, expected);
}

type Tampering = (&'static str, fn(&mut Vec<Event>, usize));

/// Each way to change one event, or the list at its place.
const TAMPERINGS: [Tampering; 12] = [
    ("seq", |events, at| events[at].seq += 1),
    ("at", |events, at| events[at].at.0 += 1),
    ("kind", |events, at| {
        let kind = events[at].kind;
        events[at].kind =
            if kind == EventKind::Released { EventKind::Succeeded } else { EventKind::Released };
    }),
    ("fence", |events, at| events[at].fence.0 += 1),
    ("detail added or changed", |events, at| events[at].detail.get_or_insert_default().push('!')),
    ("detail dropped or emptied", |events, at| {
        events[at].detail = if events[at].detail.is_some() { None } else { Some(String::new()) };
    }),
    ("hash", |events, at| events[at].hash[31] ^= 1),
    ("removed", |events, at| drop(events.remove(at))),
    ("repeated", |events, at| events.insert(at, events[at].clone())),
    ("swapped", |events, at| events.swap(at, at.saturating_sub(1).max(usize::from(at == 0)))),
    ("cut off", |events, at| events.truncate(at)),
    ("cut off before", |events, at| drop(events.drain(..=at))),
];

#[test]
fn each_single_tampering_is_found() {
    let bench = long();
    let chain = &bench.record().chain;
    for (name, tamper) in TAMPERINGS {
        for at in 0..bench.events.len() {
            let mut events = bench.events.clone();
            tamper(&mut events, at);
            assert!(verify(&events, chain).is_err(), "{name} of event {at} was not found");
        }
    }
}

#[test]
fn what_is_broken_is_named() {
    let bench = long();
    let chain = &bench.record().chain;
    let mut events = bench.events.clone();
    events[3].at.0 += 1;
    assert_eq!(verify(&events, chain), Err(Broken::Event(4)));
    assert_eq!(verify(&bench.events[..5], chain), Err(Broken::Length { found: 5, expected: 8 }));
    let other = Chain { length: 8, head: [1; 32] };
    assert_eq!(verify(&bench.events, &other), Err(Broken::Head));
    assert_eq!(verify([], &Chain::default()), Ok(()));
}

#[test]
fn a_longer_history_than_was_written_is_found() {
    let bench = long();
    let mut chain = bench.record().chain.clone();
    let mut events = bench.events.clone();
    events.push(chain.clone().append(Timestamp(999), Fence(9), EventKind::Succeeded, None));
    assert_eq!(verify(&events, &chain), Err(Broken::Length { found: 9, expected: 8 }));
    chain.length = 9;
    assert_eq!(verify(&events, &chain), Err(Broken::Head));
}

/// These hashes are in people's ledgers: they never change.
#[test]
fn hashes_are_what_they_always_were() {
    let mut chain = Chain::default();
    chain.append(Timestamp(1), Fence(2), EventKind::Claimed, None);
    let event = chain.append(Timestamp(3), Fence(2), EventKind::Released, Some("[]".into()));
    assert_eq!(OperationHash::from_bytes(event.hash).to_string(), PINNED);
}

/// By Python's `hashlib`, from the bytes that `link` describes.
const PINNED: &str = "fd6f74cbe37160e2825e172b46ddbed7bf38b057dc351c8851837f4c7b4e1dab";

#[test]
fn the_numbers_of_events_never_change() {
    let numbers: Vec<_> = EventKind::ALL.iter().map(|kind| (*kind as u8, kind.as_str())).collect();
    let expected = [
        (1, "approval_requested"),
        (2, "approval_granted"),
        (3, "approval_denied"),
        (4, "approval_expired"),
        (5, "claimed"),
        (6, "claimed_reminted"),
        (7, "succeeded"),
        (8, "released"),
        (9, "became_unknown"),
        (10, "lease_lost"),
        (11, "reconcile_began"),
        (12, "reconciled_happened"),
        (13, "reconciled_did_not_happen"),
        (14, "reconciled_cannot_tell"),
        (15, "resolved_happened"),
        (16, "resolved_did_not_happen"),
        (17, "expired"),
        (18, "attempted"),
        (19, "reopened"),
        (20, "bound"),
        (21, "stepped"),
        (22, "unwinding"),
        (23, "resolved_abandoned"),
        (24, "in_workflow"),
        (25, "on_behalf"),
    ];
    assert_eq!(numbers, expected);
}
