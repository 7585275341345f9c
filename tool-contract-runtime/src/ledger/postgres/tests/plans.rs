//! What a session reads whose plans were made while there was next to nothing.

use super::Place;
use super::racing::per_user;
use crate::ledger::conformance::{call, happened, key};
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::{Admission, Admitted, Ledger as _, Settlement};

/// Many more calls than a session makes before it keeps its plans.
const CALLS: usize = 400;
/// How many rows and index entries a call may read, on the average.
const MOST: i64 = 8;

/// Makes calls, each twice: it runs, and is replayed.
async fn calls(ledger: &PostgresLedger, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let id = key(&format!("k{number}"));
        let request = Admission { draws: vec![per_user(number)], ..call(1, &id) };
        let Ok(Admitted::Claimed(claim)) = ledger.admit(&request).await else {
            panic!("{id:?} is new")
        };
        let (fence, verdict) = (claim.fence, happened("7"));
        let settlement = Settlement { id, fence, used: 1, verdict, attempts: Vec::new() };
        ledger.settle(&settlement).await.unwrap();
        assert!(matches!(ledger.admit(&request).await, Ok(Admitted::Replay(_))));
    }
}

impl Place {
    /// What was read in its tables, once nobody but us is connected: only then has
    /// everybody said.
    async fn read(&self) -> i64 {
        let others = format!(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE query LIKE '%\"{}\"%' AND pid <> pg_backend_pid()",
            self.schema
        );
        while self.client.query_one(&others, &[]).await.unwrap().get::<_, i64>(0) > 0 {}
        let read = "(SELECT sum(seq_tup_read) FROM pg_stat_all_tables WHERE schemaname = $1) \
            + (SELECT sum(idx_tup_read) FROM pg_stat_all_indexes WHERE schemaname = $1)";
        let read = format!("SELECT ({read})::bigint");
        self.client.query_one(&read, &[&self.schema]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn a_plan_of_a_small_table_reads_no_more_later() {
    // Two of these found twins by the primary key, as long as the planner was let.
    for (analyzed, after) in
        [("ANALYZE", 0), ("VACUUM", 0), ("ANALYZE", 1), ("VACUUM", 160), ("VACUUM", 200)]
    {
        let Some(place) = Place::new().await else { return };
        let ledger = place.options().pool(1).connect(&place.url).await.unwrap();
        calls(&ledger, 0..after).await;
        for table in ["operations", "cells"] {
            place.run(&format!("{analyzed} {}.{table}", place.schema)).await;
        }
        calls(&ledger, after..CALLS).await;
        drop(ledger);
        let read = place.read().await;
        let most = MOST * i64::try_from(CALLS).unwrap();
        assert!(
            read <= most,
            "{analyzed} after {after}: {CALLS} calls read {read} rows and entries"
        );
    }
}
