//! `ledger prune`

use std::time::Duration;

use tool_contract_runtime::ledger::Terms;

use super::stage::{Stage, id, succeeded, terms};

#[test]
fn expired_keys_move_in_steps() {
    let stage = Stage::new();
    let short = Terms { ttl: Duration::from_mins(1), ..terms() };
    for key in ["a", "b", "c"] {
        stage.run(&id("charge_card", key), short.clone(), succeeded("1"));
    }
    stage.run(&id("charge_card", "young"), terms(), succeeded("1"));
    for (args, expected) in [
        (
            &["prune", "--most", "1"][..],
            "1 expired key moved out of the way; there may be more; none of them runs again\n",
        ),
        (&["prune", "--most", "0", "--json"], "{\n  \"moved\": 0,\n  \"more\": true\n}\n"),
        (&["prune"], "2 expired keys moved out of the way; none of them runs again\n"),
        (&["prune", "--json"], "{\n  \"moved\": 0,\n  \"more\": false\n}\n"),
    ] {
        let said = stage.ledger(args);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    }
    let said = stage.ledger(&["verify"]);
    assert_eq!(said.out, "checked 4 histories: each is as it was written\n");
}
