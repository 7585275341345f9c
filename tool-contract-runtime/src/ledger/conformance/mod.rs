//! What every ledger does, as checks that any ledger can be put to.
//!
//! The transitions have tests of their own. What is checked here is what a store
//! can get wrong around them: whose record is loaded, what is kept and what is
//! left, who is woken, who comes first.
//!
//! For a ledger of your own, turn on the feature `conformance` in your
//! dev-dependencies, and write one test:
//!
//! ```
//! # use tool_contract_runtime as tool_contract;
//! use std::sync::Arc;
//! use tool_contract::ledger::MemoryLedger; // in place of yours
//! use tool_contract::testing::{ManualClock, conformance::{self, Subject}};
//!
//! # let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # tokio.block_on(async {
//! conformance::run(|| async {
//!     let clock = Arc::new(ManualClock::new());
//!     let ledger = MemoryLedger::with_clock(Arc::clone(&clock) as _);
//!     Subject::new(ledger, move |span| {
//!         clock.advance(span);
//!         std::future::ready(())
//!     })
//! })
//! .await;
//! # });
//! ```
//!
//! The checks let minutes of the ledger's time pass, so the ledger must live by a
//! clock that the test can move.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a check fails by panicking")]

mod approvals;
mod claims;
mod finding_out;
mod limits;
mod looking;
mod racing;
mod signatures;
mod stage;
mod twins;
mod waiting;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{BoxFuture, Ledger};
use stage::Stage;
#[cfg(test)]
pub(super) use stage::{call, confirmed, happened, hash, id, key, repeatable, terms, unknown};
#[cfg(test)]
pub(super) use waiting::settle_down;

/// A ledger to be checked.
pub struct Subject {
    ledger: Arc<dyn Ledger>,
    pass: Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Subject {
    /// A ledger that is empty and used by nobody else; `pass` lets so much of its
    /// time pass.
    pub fn new<F>(ledger: impl Ledger, pass: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { ledger: Arc::new(ledger), pass: Box::new(move |span| Box::pin(pass(span))) }
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

type Behaviour = fn(Stage) -> BoxFuture<'static, ()>;

/// Lists functions by name.
macro_rules! behaviours {
    ($($topic:ident::{$($name:ident),+ $(,)?})+) => {
        [$($((concat!(stringify!($topic), "::", stringify!($name)), |stage| Box::pin($topic::$name(stage)))),+),+]
    };
}

const BEHAVIOURS: &[(&str, Behaviour)] = &behaviours! {
    claims::{
        a_claim_is_found_again_by_its_own_call_alone,
        a_result_is_replayed,
        a_released_key_may_be_claimed_by_another,
        a_lost_lease_makes_it_unknown_for_good,
        a_stale_fence_settles_nothing,
        fences_never_come_twice,
        keys_belong_to_tenant_and_tool,
        a_tombstone_remembers_the_key,
        a_sliding_ttl_is_kept,
        other_arguments_are_a_conflict,
        a_lease_is_renewed,
        a_note_is_on_record_with_its_renewal,
        what_is_not_known_is_missing,
        large_and_strange_values_are_kept,
    }
    finding_out::{
        there_is_one_reconciler,
        too_early_is_too_early,
        what_cannot_be_stopped_takes_a_person,
        a_person_resolves,
        a_repetition_is_in_doubt,
        of_a_saga_only_what_it_came_to_is_said,
    }
    approvals::{
        a_grant_is_used_once,
        a_denial_stands,
        a_no_counts_until_the_call_has_begun,
        either_a_no_or_a_claim_wins,
        a_request_lapses,
        what_is_withdrawn_waits_for_nobody,
    }
    signatures::{
        a_signed_grant_is_kept_and_used_once,
        what_is_not_signed_lets_nothing_run,
        a_signature_is_for_one_request,
        a_spent_grant_is_no_other_request_s,
        a_grant_ends_when_it_says,
        a_call_is_what_was_approved,
        a_quorum_is_of_people_with_keys_of_their_own,
        who_asks_is_nobody_who_agrees,
        a_refusal_is_signed_too,
        a_no_takes_back_a_yes_if_it_counts,
        a_false_refusal_keeps_nobody_from_deciding,
        a_refusal_is_forgotten_by_nobody_for_whom_it_counts,
        one_grant_lets_one_of_many_run,
    }
    limits::{
        limits_count_claims_over_all_keys,
        cells_are_kept_apart,
        a_limited_call_leaves_nothing,
        a_saga_that_has_begun_draws_only_its_slot,
        all_limits_or_none,
        reads_draw_without_a_record,
        a_count_is_open_for_a_while,
        so_many_run_at_a_time,
        a_slot_lives_as_long_as_the_lease,
    }
    twins::{
        a_twin_is_found,
        the_newest_twin_that_speaks_answers,
        a_twin_is_looked_for_among_the_newest,
        a_twin_of_another_is_none,
        what_did_not_happen_is_no_twin,
    }
    looking::{
        a_character_zero_is_listed_and_moved,
        a_record_is_shown_as_it_was_written,
        histories_verify,
        what_is_over_is_moved_and_remembered,
        a_moved_key_may_be_reopened,
        operations_are_listed_in_order,
        listings_are_filtered,
        listings_are_paged,
        a_lost_lease_is_listed_as_unknown,
        what_waits_for_a_person_is_a_queue,
        what_was_given_up_is_remembered,
    }
    waiting::{
        all_who_wait_get_the_result,
        who_waits_for_a_result_is_woken,
        who_waits_for_an_approval_is_woken,
        nobody_waits_for_what_is_over,
        nobody_waits_longer_than_he_said,
    }
    racing::{
        one_of_many_claims,
        every_key_is_claimed_once,
        one_of_many_reconciles,
        a_limit_holds_among_many,
    }
};

/// Puts a ledger to every check. `make` makes an empty one for each.
///
/// # Panics
/// At the first check that fails, after its name was printed.
pub async fn run<F: Future<Output = Subject>>(make: impl Fn() -> F) {
    for (name, behaviour) in BEHAVIOURS {
        // A failed assertion says what; this says where.
        println!("checking {name}");
        behaviour(Stage::new(make().await)).await;
    }
}
