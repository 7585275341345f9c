//! Whatever is written into a record, a call runs only if people signed it.

use std::sync::Arc;

use super::*;
use crate::operation::Preimage;

/// Knows the statements that were signed, by their bytes; a signature is its
/// number. Each name has a key of its own but `anne`, who is `ann`.
#[derive(Debug)]
struct Signed(Vec<Vec<u8>>);

impl Verifier for Signed {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        let genuine = self.0.get(usize::from(signature?.0[0]))? == &statement.bytes();
        let key = match statement.by {
            "ann" | "anne" => 1,
            "bob" => 2,
            _ => return None,
        };
        genuine.then_some(Signer([key; 32]))
    }
}

/// The call that must not run: of two people, both have to agree.
fn victim(trust: &Trust) -> Admission {
    let terms = Terms { confirm: Some((ms(20), 2)), ..terms() };
    Admission { requested_by: Some("agent".into()), trust: trust.clone(), ..admission(7, terms) }
}

/// Grants as an attacker finds them: who signed, and of what; the call itself is
/// signed by one person, under both of her names.
fn pool(request: &ApprovalId) -> (Trust, Vec<Grant>) {
    let (own, other) = (id("key"), OperationId { tool: "other".into(), ..id("key") });
    let tenant = OperationId { tenant: crate::key::Tenant::new("acme").ok(), ..id("key") };
    let (end, old) = (Timestamp(15), ApprovalId("apr_old".into()));
    let (yes, no) =
        (ApprovalVerdict::Grant { until: end }, ApprovalVerdict::Deny { why: "".into() });
    let over = ApprovalVerdict::Grant { until: Timestamp(5) };
    let (right, wrong) = (hash(0), hash(1));
    let statement = |id, hash, requested_by, request, by, verdict| Statement {
        id,
        hash,
        ignored: None,
        requested_by: Some(requested_by),
        request,
        by,
        verdict,
    };
    let signed = [
        statement(&own, &right, "agent", request, "ann", &yes),
        statement(&own, &right, "agent", request, "anne", &yes),
        statement(&own, &right, "agent", request, "eve", &yes),
        statement(&own, &right, "agent", request, "bob", &no),
        statement(&own, &right, "agent", request, "bob", &over),
        statement(&own, &right, "agent", &old, "bob", &yes),
        statement(&own, &right, "carol", request, "bob", &yes),
        statement(&own, &wrong, "agent", request, "bob", &yes),
        statement(&other, &right, "agent", request, "bob", &yes),
        statement(&tenant, &right, "agent", request, "bob", &yes),
    ];
    let trust = Trust::new(Arc::new(Signed(signed.iter().map(Statement::bytes).collect())));
    let mut grants = Vec::new();
    for number in 0..signed.len() {
        for by in ["ann", "anne", "bob", "agent"] {
            for until in [end, Timestamp(5), Timestamp::END] {
                let signature = Signature([u8::try_from(number).unwrap(); 64]);
                let at = Timestamp::ZERO;
                grants.push(Grant { by: by.into(), at, until, signature: Some(signature) });
                grants.push(Grant { by: by.into(), at, until, signature: None });
            }
        }
    }
    (trust, grants)
}

/// Every state that a record can be in, as somebody may write it.
fn states() -> Vec<State> {
    let lease_until = Timestamp(100);
    let unknown = Unknown {
        since: Timestamp::ZERO,
        believed_from: Some(Timestamp::ZERO),
        cause: "who knows".into(),
    };
    vec![
        State::AwaitingApproval,
        State::Approved,
        State::Denied { expires_at: Timestamp(100) },
        State::Running { lease_until },
        State::Running { lease_until: Timestamp(1) },
        State::Released { not_before: Timestamp::ZERO },
        State::Unknown(unknown.clone()),
        State::Reconciling { lease_until, unknown },
        State::Expired,
    ]
}

#[test]
fn whatever_is_on_record_nothing_runs_that_was_not_signed() {
    let mut bench = Bench::default();
    let request = bench.request(&victim(&Trust::default()));
    let (trust, grants) = pool(&request);
    let call = victim(&trust);
    let genuine = bench.record().clone();
    let mut tried = 0_u32;
    for state in states() {
        for (name, requester, quorum, confirm) in requests() {
            for at in 0..grants.len() {
                let mut record = genuine.clone();
                record.state = state.clone();
                // As if the call itself had begun, and its answer was lost.
                (record.nonce, record.holder, record.fence) = (call.nonce, call.holder, Fence(1));
                record.terms =
                    Terms { confirm, repeatable: true, ..(*genuine.terms).clone() }.into();
                let approval = record.approval.as_mut().unwrap();
                approval.id = name.map_or_else(|| request.clone(), |name| ApprovalId(name.into()));
                approval.requested_by = Some(requester.into());
                approval.quorum = quorum;
                approval.expires_at = Timestamp::END;
                approval.preimage = Some(Preimage {
                    version: 1,
                    arguments: "{}".into(),
                    fingerprint: None,
                    ignored: None,
                });
                // All that can be combined with one that is genuine.
                approval.grants = vec![grants[0].clone(), grants[at].clone(), grants[at].clone()];
                let mut slot = Some(record);
                let around = Around { now: Timestamp(10), fence: Fence(2) };
                let reply = admit(&mut slot, &call, None, &mut [], &around).reply;
                assert!(matches!(reply, Admitted::Refused(_)), "{reply:?}: {slot:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

/// The request's name, on whose behalf, the quorum, and what the stored contract
/// wants.
type Requested = (Option<&'static str>, &'static str, u32, Option<(Duration, u32)>);

/// Every one that somebody may write.
fn requests() -> Vec<Requested> {
    let mut all = Vec::new();
    for name in [None, Some("apr_old")] {
        for requester in ["agent", "carol"] {
            for quorum in 0..3 {
                for confirm in [None, Some((ms(20), 0)), Some((ms(20), 2))] {
                    all.push((name, requester, quorum, confirm));
                }
            }
        }
    }
    all
}

/// The same, and the second person does sign: it runs, from wherever a person's
/// yes may take it.
#[test]
fn what_both_signed_runs() {
    let mut bench = Bench::default();
    let request = bench.request(&victim(&Trust::default()));
    let verdict = ApprovalVerdict::Grant { until: Timestamp(15) };
    let signed = ["ann", "bob"].map(|by| {
        Statement {
            id: &id("key"),
            hash: &hash(0),
            ignored: None,
            requested_by: Some("agent"),
            request: &request,
            by,
            verdict: &verdict,
        }
        .bytes()
    });
    let trust = Trust::new(Arc::new(Signed(signed.into())));
    let call = victim(&trust);
    for (number, by) in ["ann", "bob"].into_iter().enumerate() {
        let decision = Decision {
            id: id("key"),
            request: request.clone(),
            by: by.into(),
            verdict: verdict.clone(),
            signature: Some(Signature([u8::try_from(number).unwrap(); 64])),
            trust: trust.clone(),
        };
        let decided = bench.step(|slot, around| decide_approval(slot, &decision, around));
        assert!(!matches!(decided, Decided::Refused(_)), "{decided:?}");
    }
    // On record as waiting, it runs; and once their word is over, it does not.
    for (state, now, runs) in [
        (State::AwaitingApproval, 14, true),
        (State::Approved, 14, true),
        (State::Released { not_before: Timestamp::ZERO }, 14, true),
        (State::Approved, 15, false),
    ] {
        let mut slot = bench.slot.clone();
        slot.as_mut().unwrap().state = state;
        let around = Around { now: Timestamp(now), fence: Fence(2) };
        let reply = admit(&mut slot, &call, None, &mut [], &around).reply;
        assert_eq!(matches!(reply, Admitted::Claimed(_)), runs, "{reply:?}");
    }
    // The same call finds the claim that it made.
    bench.at(14).claim(&call);
    bench.claim(&call);
}

/// Takes the first byte of a signature for the number of a key.
#[derive(Debug)]
struct Numbered;

impl Verifier for Numbered {
    fn signer(&self, _: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        Some(Signer([signature?.0[0]; 32]))
    }
}

#[test]
fn a_person_is_a_name_and_a_key() {
    let trust = Trust::new(Arc::new(Numbered));
    let (id, hash, now) = (id("key"), hash(0), Timestamp(1));
    let (ignored, requested_by) = (None, Some("agent"));
    let ballot = Ballot { id: &id, hash: &hash, ignored, requested_by, trust: &trust, now };
    let mut bench = Bench::default();
    bench.request(&victim(&Trust::default()));
    let mut approval = bench.record().approval.clone().unwrap();
    for (grants, people) in [
        (vec![("ann", 1), ("bob", 2)], 2),
        (vec![("ann", 1), ("bob", 1)], 1),
        (vec![("ann", 1), ("ann", 2)], 1),
        (vec![("ann", 1), ("agent", 2)], 1),
        (vec![("ann", 1), ("ann", 2), ("bob", 2)], 2),
    ] {
        let grant = |(by, key): (&str, u8)| Grant {
            by: by.into(),
            at: Timestamp::ZERO,
            until: Timestamp::END,
            signature: Some(Signature([key; 64])),
        };
        approval.grants = grants.iter().copied().map(grant).collect();
        assert_eq!(ballot.people(&approval).len(), people, "{grants:?}");
    }
    // More than people can be is not looked at.
    let many = |number: usize| Grant {
        by: number.to_string().into(),
        at: Timestamp::ZERO,
        until: Timestamp::END,
        signature: Some(Signature([u8::try_from(number % 256).unwrap(); 64])),
    };
    approval.grants = (0..Ballot::MOST + 256).map(many).collect();
    approval.grants[256..].iter_mut().for_each(|grant| grant.signature = None);
    assert_eq!(ballot.people(&approval).len(), 0);
    // Whoever was crowded out signs again.
    approval.grants.push(many(1));
    assert_eq!(ballot.people(&approval).len(), 1);
}

/// Makes a key for each name.
#[derive(Debug)]
struct Countless;

impl Verifier for Countless {
    fn signer(&self, statement: &Statement<'_>, _: Option<&Signature>) -> Option<Signer> {
        let mut key = [0; 32];
        key.iter_mut().zip(statement.by.bytes()).for_each(|(byte, name)| *byte = name);
        Some(Signer(key))
    }

    fn knows_everybody(&self) -> bool {
        false
    }
}

#[test]
fn no_more_grants_are_kept_than_are_looked_at() {
    let mut bench = Bench::default();
    bench.request(&victim(&Trust::new(Arc::new(Numbered))));
    let countless = Trust::new(Arc::new(Countless));
    for number in 0..Ballot::MOST + 2 {
        let decided = grant(&mut bench, &number.to_string(), 9, 1_000, &countless);
        assert_eq!(decided, Decided::Recorded);
    }
    let kept = &bench.record().approval.as_ref().unwrap().grants;
    assert_eq!((kept.len(), &*kept[0].by), (Ballot::MOST, "2"));
}

/// Knows one key, and nobody else.
#[derive(Debug)]
struct Own(u8);

impl Verifier for Own {
    fn signer(&self, _: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        signature.filter(|it| it.0[0] == self.0).map(|it| Signer([it.0[0]; 32]))
    }

    fn knows_everybody(&self) -> bool {
        false
    }
}

/// The word of `by`, signed with a key, put on record by who trusts `trust`.
fn grant(bench: &mut Bench, by: &str, key: u8, until: u64, trust: &Trust) -> Decided {
    let decision = Decision {
        id: id("key"),
        request: bench.record().approval.as_ref().unwrap().id.clone(),
        by: by.into(),
        verdict: ApprovalVerdict::Grant { until: Timestamp(until) },
        signature: Some(Signature([key; 64])),
        trust: trust.clone(),
    };
    bench.step(|slot, around| decide_approval(slot, &decision, around))
}

#[test]
fn what_may_not_count_completes_nothing_and_moves_nothing() {
    let everybody = Trust::new(Arc::new(Numbered));
    let mut bench = Bench::default();
    bench.request(&victim(&everybody));
    let expires_at = bench.record().approval.as_ref().unwrap().expires_at;
    // Until soon, and until long after: the request stands for as long as before.
    for (by, key, until) in [("eve", 8, 6), ("ann", 9, 1_000), ("mallory", 10, 1_000)] {
        let own = Trust::new(Arc::new(Own(key)));
        assert_eq!(grant(bench.at(5), by, key, until, &own), Decided::Recorded);
        assert_eq!(bench.state(), StateName::AwaitingApproval);
        assert_eq!(bench.record().approval.as_ref().unwrap().expires_at, expires_at);
        let again = grant(&mut bench, by, key, until, &own);
        assert_eq!(again, Decided::Refused(Undecided::Again), "{by}");
    }
    // Nor does it take the place of what does count.
    let of_ann = |key: u8| Trust::new(Arc::new(Own(key)));
    let mut bench = Bench::default();
    bench.request(&victim(&everybody));
    assert_eq!(grant(&mut bench, "ann", 1, 15, &everybody), Decided::Pending { missing: 1 });
    assert_eq!(grant(&mut bench, "ann", 9, 15, &of_ann(9)), Decided::Recorded);
    assert_eq!(bench.record().approval.as_ref().unwrap().grants.len(), 2);
    // Each knows only their own key, and together they are enough: it runs.
    assert_eq!(grant(&mut bench, "bob", 2, 15, &of_ann(2)), Decided::Recorded);
    bench.claim(&victim(&everybody));
}

#[test]
fn only_who_counts_is_counted_and_bounds_the_time() {
    let few = Trust::new(Arc::new(Known(&[1, 2])));
    let mut bench = Bench::default();
    bench.request(&victim(&few));
    // What stands there in the name of a stranger is none of the two.
    let own = Trust::new(Arc::new(Own(9)));
    assert_eq!(grant(&mut bench, "eve", 9, 2, &own), Decided::Recorded);
    assert_eq!(grant(&mut bench, "ann", 1, 15, &few), Decided::Pending { missing: 1 });
    let granted = Decided::Granted { expires_at: Timestamp(14) };
    assert_eq!(grant(&mut bench, "bob", 2, 14, &few), granted);
    // Who agreed is told so, and who comes too late.
    let again = Decided::Refused(Undecided::Again);
    assert_eq!(grant(&mut bench, "bob", 2, 14, &few), again);
    let few = Trust::new(Arc::new(Known(&[1, 2, 3])));
    assert_eq!(grant(&mut bench, "zoe", 3, 14, &few), Decided::Refused(Undecided::Enough));
}

/// Knows some keys.
#[derive(Debug)]
struct Known(&'static [u8]);

impl Verifier for Known {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        let known = signature.filter(|it| self.0.contains(&it.0[0]));
        Numbered.signer(statement, known)
    }
}

/// The no of `by`, put on record by who trusts `trust`.
fn deny(bench: &mut Bench, by: &str, key: u8, trust: &Trust) -> Decided {
    let decision = Decision {
        id: id("key"),
        request: bench.record().approval.as_ref().unwrap().id.clone(),
        by: by.into(),
        verdict: ApprovalVerdict::Deny { why: "".into() },
        signature: Some(Signature([key; 64])),
        trust: trust.clone(),
    };
    bench.step(|slot, around| decide_approval(slot, &decision, around))
}

/// A request to which bob said no, among those who trust `ours`; and others.
fn refused_by_bob() -> (Bench, Trust, Trust) {
    let (ours, theirs) =
        (Trust::new(Arc::new(Known(&[1, 2, 3]))), Trust::new(Arc::new(Known(&[7]))));
    let mut bench = Bench::default();
    bench.request(&victim(&ours));
    assert_eq!(grant(&mut bench, "ann", 1, 15, &ours), Decided::Pending { missing: 1 });
    assert_eq!(deny(&mut bench, "bob", 2, &ours), Decided::Denied);
    (bench, ours, theirs)
}

#[test]
fn a_no_that_counts_is_not_lost_for_one_that_counts_for_others() {
    let (mut bench, ours, theirs) = refused_by_bob();
    // Who does not know bob refuses it, too.
    deny(&mut bench, "eve", 7, &theirs);
    grant(&mut bench, "zoe", 3, 15, &ours);
    assert!(matches!(bench.refusal(&victim(&ours)), Refusal::Denied { .. }), "bob said no");
}

#[test]
fn a_no_that_counts_is_not_lost_for_one_that_counts_for_nobody() {
    let (mut bench, ours, theirs) = refused_by_bob();
    // For a runtime that does not know bob the request stands; then comes anybody's no.
    bench.refusal(&victim(&theirs));
    assert_eq!(bench.state(), StateName::AwaitingApproval);
    deny(&mut bench, "mallory", 9, &Trust::new(Arc::new(Own(9))));
    grant(&mut bench, "zoe", 3, 15, &ours);
    assert!(matches!(bench.refusal(&victim(&ours)), Refusal::Denied { .. }), "bob said no");
}
