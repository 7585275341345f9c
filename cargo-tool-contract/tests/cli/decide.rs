//! `decide`

use crate::shell::{ADVISED, BROKEN, Said, file, run};

fn decide(name: &str, more: &[&str]) -> Said {
    let path = file(name, ADVISED);
    run(&[&["decide", &path, "--tool", "charge"], more].concat())
}

#[test]
fn the_decision_and_its_row_are_printed() {
    for (outcome, attempt, decision, row) in [
        ("success", "1", "continue: ", "success: "),
        ("validation_failure", "1", "stop: ", "validation_failure, "),
        ("network", "1", "retry after 1s\n", "retryable_failure, cause in `on`"),
        (
            "retryable_failure(rate_limited)",
            "2",
            "retry after 2s\n",
            "retryable_failure, cause in `on`",
        ),
        ("retryable", "3", "stop: ", "retryable_failure, otherwise"),
        ("side_effect_unknown", "1", "escalate: ", "side_effect_unknown on a write, otherwise"),
    ] {
        let said = decide("decide.yaml", &["--outcome", outcome, "--attempt", attempt]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.starts_with(decision), "{outcome}: {}", said.out);
        assert!(said.out.contains(&format!("by the row: {row}")), "{outcome}: {}", said.out);
    }
}

#[test]
fn progress_and_wishes_of_the_other_side_count() {
    let first = ["--outcome", "network", "--attempt", "1"];
    for (more, decision) in [
        (&["--retry-after", "5s"][..], "retry after 6s\n"),
        (&["--total", "10"], "stop: "),
        (&["--elapsed", "60s"], "stop: "),
        (&["--remaining", "500ms"], "stop: "),
    ] {
        let said = decide("progress.yaml", &[&first, more].concat());
        assert!(said.code == 0 && said.out.starts_with(decision), "{more:?}: {said:?}");
    }
}

#[test]
fn a_tool_that_is_not_there_ends_with_2() {
    let path = file("decide-missing.yaml", ADVISED);
    let said =
        run(&["decide", &path, "--tool", "chrage", "--outcome", "success", "--attempt", "1"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("did you mean `charge`?"), "{}", said.err);
}

#[test]
fn a_tool_that_breaks_a_rule_decides_nothing() {
    let path = file("decide-broken.yaml", BROKEN);
    let said =
        run(&["decide", &path, "--tool", "charge", "--outcome", "success", "--attempt", "1"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("error[TC0021]"), "{}", said.out);
}
