//! `explain`

use crate::shell::run;

#[test]
fn a_rule_has_a_page() {
    let said = run(&["explain", "TC0004"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("TC0004"), "{}", said.out);
    assert_eq!(run(&["explain", "tc4"]), said);
}

#[test]
fn the_rules_are_listed() {
    let said = run(&["explain"]);
    assert_eq!(said.code, 0);
    for line in ["TC0001 deny ", "TC0101 advise ", "TC0104 warn ", "TC0201 refusal "] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
}

#[test]
fn a_code_without_a_rule_ends_with_2() {
    let said = run(&["explain", "TC0999"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("there is no rule TC0999"), "{}", said.err);
}
