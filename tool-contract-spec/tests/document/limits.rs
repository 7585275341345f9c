//! Files that are meant to hurt the reader.

use tool_contract_spec::document::{
    DEEPEST_NESTING, LARGEST_FILE, MOST_ALIASES, MOST_NODES, Unreadable, read,
};

fn refused(text: &str) -> Unreadable {
    read(text).expect_err("past a limit")
}

/// A contract whose output schema is `schema`.
fn with_schema(schema: &str) -> String {
    format!("tools: {{ t: {{ mode: read, output: {{ schema: {{ x: {schema} }} }} }} }}\n")
}

/// How deep [`with_schema`] stands already.
const ABOVE: usize = 5;

#[test]
fn a_file_is_as_large_as_it_may_be() {
    let comment =
        |size: usize| format!("tools: {{}}\n#{}", "x".repeat(size - "tools: {}\n#".len()));
    assert!(read(&comment(LARGEST_FILE)).is_ok());
    let too_large = refused(&comment(LARGEST_FILE + 1));
    assert_eq!(too_large.message, "the file has 1048577 bytes; a contract has at most 1048576");
    assert!(refused(&"x".repeat(2 * LARGEST_FILE)).message.contains("2097152 bytes"));
}

#[test]
fn values_nest_as_deep_as_they_may() {
    let nested = |depth: usize| with_schema(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let deepest = DEEPEST_NESTING - ABOVE;
    assert!(read(&nested(deepest)).is_ok());
    for depth in [deepest + 1, deepest + 2, 200, 10_000] {
        let too_deep = refused(&nested(depth));
        assert!(too_deep.at.is_some());
        assert!(
            too_deep.message.contains("deeper") || depth > DEEPEST_NESTING,
            "{}",
            too_deep.message
        );
    }
    let blocks: Vec<String> = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(refused(&blocks.concat()).message.contains("deeper"));
}

#[test]
fn a_file_has_as_many_values_as_it_may() {
    assert!(read(&with_schema(&format!("[{}]", "a,".repeat(MOST_NODES / 2)))).is_ok());
    let too_many = refused(&with_schema(&format!("[{}]", "a,".repeat(MOST_NODES))));
    assert!(too_many.message.contains("100000 values"), "{}", too_many.message);
}

#[test]
fn aliases_do_not_explode() {
    let level = |level: usize| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("a{level}: &a{level} [{aliases}]\n")
    };
    let levels: Vec<String> = (1..9).map(level).collect();
    let refused =
        refused(&format!("tools: {{}}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n{}", levels.concat()));
    assert!(
        refused.at.is_some() && refused.message.contains("repeat too much"),
        "{}",
        refused.message
    );
}

#[test]
fn aliases_are_few() {
    let aliases = |many: usize| with_schema(&format!("[&a x{}]", ", *a".repeat(many)));
    assert!(read(&aliases(50)).is_ok());
    assert!(refused(&aliases(MOST_ALIASES + 1)).at.is_some());
}

#[test]
fn an_alias_of_itself_is_refused() {
    assert_eq!(refused("tools: &t { a: *t }").message, "an anchor contains an alias of itself");
}
