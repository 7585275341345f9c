//! An order breaks off at every point that there is: its process is killed, its
//! ledger fails, a service fails. Afterwards the services' own books balance, or the
//! case is in front of a person.
//!
//! No point is written down here. Each way of breaking off is tried at the first, the
//! second, the third use of the ledger, or request to a service, and so on until an
//! order comes through untouched: then there are no more.
//!
//! `cargo test -p order-saga-example --test every_point -- --nocapture` shows how many
//! there were.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod blow;
mod case;
mod way;
mod worker;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::blow::Blow;
use self::case::Case;
use self::way::Way;

/// More than any order has points.
const MOST: usize = 1_000;

/// How many cases run at once, over all tests.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(8));

/// Where a blow struck, and how often a person was needed after it.
#[derive(Default)]
struct Tally {
    struck: BTreeMap<String, usize>,
    people: usize,
}

impl Tally {
    fn count(&mut self, struck: String, took_a_person: bool) {
        *self.struck.entry(struck).or_default() += 1;
        self.people += usize::from(took_a_person);
    }

    fn points(&self) -> usize {
        self.struck.values().sum()
    }
}

/// Runs all at once, and says how many points each had.
async fn tally<T: Display + Send + 'static>(
    all: impl IntoIterator<Item = (T, impl Future<Output = Tally> + Send + 'static)>,
) {
    let mut running = JoinSet::new();
    for (what, tally) in all {
        running.spawn(async move { (what.to_string(), tally.await) });
    }
    let (mut lines, mut points) = (Vec::new(), 0);
    while let Some(joined) = running.join_next().await {
        let (what, tally) =
            joined.unwrap_or_else(|why| std::panic::resume_unwind(why.into_panic()));
        assert!(tally.points() > 0, "nothing was tried: {what}");
        points += tally.points();
        let people = tally.people;
        lines.push(format!(
            "{what}: {} points, {people} with a person {:?}",
            tally.points(),
            tally.struck
        ));
    }
    lines.sort();
    println!("{}\n{points} points in all", lines.join("\n"));
}

fn each(ways: &[Way], blows: &'static [Blow]) -> impl Iterator<Item = (Way, Blow)> {
    ways.iter().flat_map(|way| blows.iter().map(|blow| (*way, *blow)))
}

/// Strikes at the first point, the second, and so on, until there are no more.
async fn every_point(way: Way, blow: Blow) -> Tally {
    let mut tally = Tally::default();
    for nth in 0..MOST {
        let _permit = AT_ONCE.acquire().await;
        let mut case = Case::new(way).await;
        let struck = case.strike("place", blow, nth).await;
        let took_a_person = case.come_to_its_end().await;
        let Some(struck) = struck else { return tally };
        tally.count(struck, took_a_person);
    }
    panic!("{way:?} has no end of points for {blow}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_its_process_is_killed_an_order_ends_whole_or_undone_or_with_a_person() {
    let all = each(&Way::ALL, &Blow::KILLS);
    tally(all.map(|(way, blow)| (format!("{way:?}, {blow}"), every_point(way, blow)))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_wherever_an_order_ends_whole_or_undone_or_with_a_person() {
    let all = each(&[Way::AllGoesWell, Way::NobodyDelivers], &Blow::FAILURES);
    tally(all.map(|(way, blow)| (format!("{way:?}, {blow}"), every_point(way, blow)))).await;
}

/// The first process dies once a service has done what was asked, and the next one
/// at every point.
async fn every_point_of_the_next(way: Way, request: usize, blow: Blow) -> Tally {
    let mut tally = Tally::default();
    for nth in 0..MOST {
        let _permit = AT_ONCE.acquire().await;
        let mut case = Case::new(way).await;
        assert!(case.strike("place", Blow::KILLED_AFTER_REQUEST, request).await.is_some());
        let struck = case.strike("recover", blow, nth).await;
        let took_a_person = case.come_to_its_end().await;
        let Some(struck) = struck else { return tally };
        tally.count(struck, took_a_person);
    }
    panic!("{way:?} has no end of points for {blow}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_recovers_an_order_may_be_killed_as_well() {
    let charged = [(Way::AllGoesWell, 1), (Way::AllGoesWell, 2), (Way::NobodyDelivers, 3)];
    let all = charged.iter().flat_map(|first| Blow::KILLS.iter().map(|blow| (*first, *blow)));
    tally(all.map(|((way, request), blow)| {
        let what = format!("{way:?}, killed at request {request}, then {blow}");
        (what, every_point_of_the_next(way, request, blow))
    }))
    .await;
}

/// Two processes recover at the same time what was left at every point.
async fn every_point_for_two(way: Way, blow: Blow) -> Tally {
    let mut tally = Tally::default();
    for nth in 0..MOST {
        let _permit = AT_ONCE.acquire().await;
        let mut case = Case::new(way).await;
        let Some(struck) = case.strike("place", blow, nth).await else { return tally };
        let was_left = case.recover_twice_at_once().await;
        let took_a_person = case.come_to_its_end().await;
        if was_left {
            tally.count(struck, took_a_person);
        }
    }
    panic!("{way:?} has no end of points for {blow}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_recover_a_dead_order_one_does() {
    let all = each(&[Way::AllGoesWell, Way::NobodyDelivers], &Blow::KILLS);
    tally(all.map(|(way, blow)| (format!("{way:?}, {blow}"), every_point_for_two(way, blow))))
        .await;
}
