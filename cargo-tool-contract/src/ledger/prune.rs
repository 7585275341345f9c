//! `ledger prune`

use serde::Serialize;

use crate::End;
use crate::args::Prune;
use crate::operator::{Desk, Problem};
use crate::report::counted;

/// How many keys one step moves.
const STEP: usize = 1_000;

#[derive(Debug, Serialize)]
struct Document {
    moved: usize,
    more: bool,
}

pub(super) async fn run(desk: &Desk, args: &Prune) -> Result<End, Problem> {
    let most = args.most.unwrap_or(usize::MAX);
    let (mut moved, mut more) = (0, true);
    while more && moved < most {
        let step = STEP.min(most - moved);
        let now = desk.ledger.prune(step).await?;
        moved += now;
        more = now == step;
        if more {
            desk.progress("moved", moved);
        }
    }
    desk.say(&Document { moved, more }, || told(moved, more))?;
    Ok(End::Fine)
}

fn told(moved: usize, more: bool) -> String {
    let keys = counted(moved, "expired key", "expired keys");
    let more = if more { "; there may be more" } else { "" };
    format!("{keys} moved out of the way{more}; none of them runs again")
}
