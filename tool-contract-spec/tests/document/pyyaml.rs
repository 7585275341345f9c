//! What we write, as the most common reader of YAML 1.1 reads it.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tool_contract_spec::document::{Emitted, write};

use crate::samples::tools;

/// Reads YAML documents by length from standard input; answers one line of
/// JSON for each.
const SCRIPT: &str = "\
import json, sys, yaml
stdin = sys.stdin.buffer
while size := stdin.readline():
    print(json.dumps(yaml.safe_load(stdin.read(int(size)).decode())), flush=True)
";

fn pyyaml_is_here() -> bool {
    let import = Command::new("python3").args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    import.is_ok_and(|status| status.success())
}

fn read_by_pyyaml(texts: &[String]) -> Vec<Value> {
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdin = python.stdin.take().expect("its input");
    let input: Vec<u8> =
        texts.iter().flat_map(|text| format!("{}\n{text}", text.len()).into_bytes()).collect();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = python.wait_with_output().expect("it ends");
    feeder.join().expect("it was fed").expect("all of it");
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The texts and numbers that `PyYAML` must have seen as we meant them.
fn expected(tool: &Emitted) -> Value {
    json!({
        "path": *tool.contract.path,
        "description": *tool.contract.description,
        "version": tool.contract.version,
        "arguments": tool.arguments_schema,
        "output": tool.output_schema,
    })
}

fn seen(entry: &Value) -> Value {
    json!({
        "path": entry["path"].as_str().unwrap_or(""),
        "description": entry["description"].as_str().unwrap_or(""),
        "version": entry["version"],
        "arguments": entry["arguments"]["schema"],
        "output": entry["output"]["schema"],
    })
}

#[test]
fn pyyaml_reads_what_we_mean() {
    if !pyyaml_is_here() {
        eprintln!("skipped: no python3 with PyYAML here");
        return;
    }
    let mut runner = TestRunner::deterministic();
    let files: Vec<Vec<Emitted>> =
        (0..80).map(|_| tools().new_tree(&mut runner).expect("a value").current()).collect();
    let texts: Vec<String> = files.iter().map(|tools| write(tools)).collect();
    let read = read_by_pyyaml(&texts);
    assert_eq!(
        read.len(),
        files.len(),
        "PyYAML gave up on:\n{}",
        texts[read.len().min(texts.len() - 1)]
    );
    for ((tools, document), text) in files.iter().zip(&read).zip(&texts) {
        for tool in tools {
            assert_eq!(seen(&document["tools"][&*tool.contract.name]), expected(tool), "{text}");
        }
    }
}
