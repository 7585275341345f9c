//! What an observer outside the ledger knows, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A claim as the observer saw it.
#[derive(Debug, Clone)]
struct Seen {
    fence: Fence,
    may_repeat: bool,
    /// Whether somebody has said what came of it.
    closed: bool,
}

/// One effect in the world.
#[derive(Debug, Clone, Copy)]
struct Effect {
    /// When, in true time.
    at: u64,
    /// Whether the other side dedupes it on the key.
    deduped: bool,
}

/// Whether a run has to be confirmed.
pub(super) enum Confirmation {
    NotWanted,
    /// It is, and this is the request that stands.
    Wanted {
        standing: Option<ApprovalId>,
        quorum: u32,
    },
}

/// The observer. It never looks into the record, only at what was answered and
/// at what happened in the world.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    last: Option<Seen>,
    result: Option<String>,
    effects: Vec<Effect>,
    /// Attempts that callers began.
    begun: u32,
    /// Claims that the ledger gave, each counted by the limit.
    pub(super) claims: u32,
    /// Whether each grant may still be used.
    grants: BTreeMap<ApprovalId, bool>,
    /// How many people have agreed to each request.
    people: BTreeMap<ApprovalId, u32>,
    /// The requests that a person refused, or that were withdrawn.
    refused: BTreeSet<ApprovalId>,
    /// Whether a person gave it up.
    is_abandoned: bool,
    /// The claim that uses a grant.
    in_use: Option<(Fence, ApprovalId)>,
}

impl Ghost {
    /// Whether this claim was given before: found again, not made.
    pub(super) fn knows(&self, fence: Fence) -> bool {
        self.last.as_ref().is_some_and(|last| last.fence == fence)
    }

    /// A new claim was given.
    pub(super) fn claimed(&mut self, claim: &Claim, terms: &Terms, confirmation: Confirmation) {
        let may_repeat = terms.repeatable && terms.confirm.is_none();
        assert_eq!(self.result, None, "no run after success");
        assert!(!self.is_abandoned, "what was given up never runs again");
        if let Some(last) = &self.last {
            assert!(claim.fence > last.fence, "fences grow");
            if !last.closed {
                assert!(
                    last.may_repeat && may_repeat,
                    "no run after unknown, unless both contracts are repeatable"
                );
            }
            assert_eq!(claim.in_doubt, !last.closed, "the holder is told of the doubt");
        }
        assert!(claim.attempts >= 1, "a claim is good for an attempt");
        assert!(
            claim.attempts_before + claim.attempts <= MAX_TOTAL,
            "attempts never exceed the cap"
        );
        assert!(self.begun <= claim.attempts_before, "every attempt that was begun is counted");
        if let Confirmation::Wanted { standing, quorum } = confirmation {
            let grant = standing.expect("a confirmed run has a request");
            assert!(!self.refused.contains(&grant), "what was refused or withdrawn does not run");
            let usable = self.grants.insert(grant.clone(), false);
            assert_eq!(usable, Some(true), "a grant is used for one run");
            assert!(self.people.get(&grant) >= Some(&quorum), "as many agreed as are wanted");
            self.in_use = Some((claim.fence, grant));
        }
        self.claims += 1;
        self.last = Some(Seen { fence: claim.fence, may_repeat, closed: false });
    }

    pub(super) fn began(&mut self) {
        self.begun += 1;
        assert!(self.begun <= MAX_TOTAL, "attempts never exceed the cap");
    }

    /// A caller did what the tool does, in the belief that it holds.
    pub(super) fn acted(&mut self, at: u64, deduped: bool) {
        self.effects.push(Effect { at, deduped });
        let own = self.effects.iter().filter(|effect| !effect.deduped).count();
        let deduped = usize::from(self.effects.iter().any(|effect| effect.deduped));
        assert!(own + deduped <= 1, "one effect: {:?}", self.effects);
    }

    /// Whether somebody who looks at `now` sees an effect.
    pub(super) fn sees_effect(&self, now: u64) -> bool {
        self.effects.iter().any(|effect| effect.at + SETTLE <= now)
    }

    pub(super) fn has_effect(&self) -> bool {
        !self.effects.is_empty()
    }

    pub(super) fn succeeded(&mut self, result: &str) {
        assert!(self.result.as_deref().is_none_or(|known| known == result), "one result");
        assert!(!self.is_abandoned, "what was given up comes to nothing else");
        self.result = Some(result.to_owned());
        self.close();
    }

    /// It is on record that nothing happened.
    pub(super) fn released(&mut self, by_holder: Option<Fence>) {
        assert!(!self.has_effect(), "what is released did not happen");
        assert!(!self.is_abandoned, "what was given up comes to nothing else");
        self.close();
        if let (Some((user, grant)), Some(holder)) = (&self.in_use, by_holder)
            && *user == holder
        {
            self.grants.insert(grant.clone(), true);
        }
    }

    /// It is on record that nobody will find out, and that it never runs again.
    pub(super) fn abandoned(&mut self) {
        (self.is_abandoned, self.in_use) = (true, None);
        self.close();
    }

    /// It is on record that it may have happened: the grant is spent.
    pub(super) fn unknown(&mut self) {
        self.in_use = None;
    }

    fn close(&mut self) {
        if let Some(last) = &mut self.last {
            last.closed = true;
        }
    }

    pub(super) fn replayed(&self, result: &str) {
        assert_eq!(self.result.as_deref(), Some(result), "a replay is of the one result");
    }

    pub(super) fn agreed(&mut self, request: &ApprovalId) {
        *self.people.entry(request.clone()).or_default() += 1;
    }

    pub(super) fn refused(&mut self, request: &ApprovalId) {
        self.refused.insert(request.clone());
    }

    pub(super) fn granted(&mut self, request: &ApprovalId) {
        let before = self.grants.insert(request.clone(), true);
        assert_ne!(before, Some(false), "a spent grant is not given anew");
    }
}
