//! What the reader says of files, and where.

use tool_contract_spec::document::read;

fn outcome(text: &str) -> String {
    match read(text) {
        Ok(document) => document.findings.iter().map(|f| format!("{} {} {} ({})\n", f.at, f.code, f.message, f.help)).collect(),
        Err(unreadable) => format!("unreadable {unreadable} ({})\n", unreadable.help),
    }
}

#[test]
fn try_out() {
    let bodies = [
        "mode: read\n    retry: { max_attemps: 3 }",
        "mode: read\n    retry: 3",
        "mode: read\n    retry:\n    timeout: 30",
        "mode: read\n    timeout: 30s\n    timeout: 40s",
        "mode: [read]",
        "mdoe: read",
        "mode: write\n    idempotent: yes",
        "mode: write\n    <<: {a: 1}",
        "mode: write\n    rollback: none",
        "mode: write\n    rollback: {strategy: compensate}",
        "mode: write\n    rollback: {strategy: none, with: x}",
        "mode: write\n    rollback: {stategy: none}",
        "mode: write\n    rollback: {strategy: nnone}",
        "mode: write\n    rollback: {with: a}",
        "mode: write\n    rate_limit: { per_tool_per_minut: 3 }",
        "mode: write\n    rate_limit: { per_tool_per_minute: 3, per_tool_per_hour: 5 }",
        "mode: write\n    rate_limit: { per_tool_per_minute: \"3\" }",
        "mode: read\n    retry: { max_attempts: -1 }",
        "mode: read\n    retry: { max_attempts: 3.5 }",
        "mode: read\n    retry: { retry_on: retryable }",
        "mode: read\n    retry: { retry_on: [retryable, 3] }",
        "mode: read\n    arguments: { ignored: [memo, mmo, memo], secret: [memo], schema: {type: object, properties: {memo: {type: string}}}}",
        "mode: read\n    arguments: { schema: [] }",
        "mode: read\n    output: { schema: {a: 1, a: 2} }",
        "mode: read\n    description: 3",
        "mode: read\n    version: one",
    ];
    for body in bodies {
        eprintln!("--- {body}\n{}", outcome(&format!("tools:\n  t:\n    {body}\n")));
    }
    for text in ["", "# x\n", "tools:", "tool: {}", "version: 2\ntools: {}", "version: x\ntools: {}", "tools: {}", "tools: []", "a: 1", "[]", "tools: {}\nfoo: 1\nversion: 1\nversion: 1\n", "tools: {t: 3}", "tools: {t: {mode: read}, t: {mode: read}}"] {
        eprintln!("--- {text}\n{}", outcome(text));
    }
}
