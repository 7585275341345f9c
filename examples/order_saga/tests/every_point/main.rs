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

mod blow;
mod case;
mod way;
mod worker;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::blow::Blow;
use self::case::Case;
use self::way::Way;

/// How many cases run at once.
const AT_ONCE: usize = 4;

/// Tries each of `blows` on each of `ways`, wherever it can strike.
async fn sweep(ways: &[Way], blows: &[Blow]) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for way in ways {
        for blow in blows {
            let (way, blow, permits) = (*way, *blow, Arc::clone(&permits));
            running.spawn(async move { (way, blow, every_point(way, blow, &permits).await) });
        }
    }
    let mut all = 0;
    let mut lines = Vec::new();
    while let Some(joined) = running.join_next().await {
        let (way, blow, points) = joined.unwrap();
        all += points;
        lines.push(format!("{points:>4}  {way:?}, {blow}"));
    }
    lines.sort_by_key(|line| line[6..].to_owned());
    println!("{}\n{all:>4}  points in all", lines.join("\n"));
}

/// Tries `blow` at the first point, the second, and so on; says how many there are.
async fn every_point(way: Way, blow: Blow, permits: &Semaphore) -> usize {
    for nth in 0..1_000 {
        let _permit = permits.acquire().await.unwrap();
        let mut case = Case::new(way).await;
        let struck = case.strike("place", blow, nth).await;
        case.come_to_its_end().await;
        if struck.is_none() {
            return nth;
        }
    }
    panic!("{way:?} has no end of points for {blow}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_its_process_is_killed_an_order_ends_whole_or_undone_or_with_a_person() {
    sweep(&Way::ALL, &Blow::KILLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_wherever_an_order_ends_whole_or_undone_or_with_a_person() {
    sweep(&[Way::AllGoesWell, Way::NobodyDelivers], &Blow::FAILURES).await;
}

/// The next process dies, too, at each of its points.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_recovers_may_die_as_well() {
    for (way, request) in [(Way::AllGoesWell, 1), (Way::AllGoesWell, 2), (Way::NobodyDelivers, 3)] {
        for blow in Blow::KILLS {
            for nth in 0..1_000 {
                let mut case = Case::new(way).await;
                let first = Blow::KILLS[3];
                assert!(case.strike("place", first, request).await.is_some());
                let struck = case.strike("recover", blow, nth).await;
                case.come_to_its_end().await;
                if struck.is_none() {
                    println!("{nth:>4}  {way:?}, dead at request {request}, then {blow}");
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_recover_a_dead_order_one_does() {
    for way in [Way::AllGoesWell, Way::NobodyDelivers] {
        for blow in [Blow::KILLS[1], Blow::KILLS[3]] {
            let mut both = 0;
            for nth in 0..1_000 {
                let mut case = Case::new(way).await;
                let Some(_) = case.strike("place", blow, nth).await else { break };
                both += usize::from(case.recover_twice_at_once().await);
                case.come_to_its_end().await;
            }
            println!("{both:>4}  times two recovered, {way:?}, {blow}");
        }
    }
}
