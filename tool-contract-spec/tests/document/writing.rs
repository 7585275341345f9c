//! What is written, to the byte, and that it reads back.

use proptest::prelude::*;
use serde_json::json;
use tool_contract_spec::document::{Emitted, compare, compare_schemas, read, write};
use tool_contract_spec::policy::{
    Contract, Idempotency, InFlight, Policy, Remint, Retry, Rollback, SideEffect, Ttl,
};

use crate::samples::{FULL, denied, full, only, tools};

fn full_tool() -> Emitted {
    let entry = only(FULL);
    Emitted {
        contract: full(),
        arguments_schema: entry.schemas.arguments.expect("a schema"),
        output_schema: entry.schemas.output.expect("a schema"),
    }
}

#[test]
fn a_contract_is_written_to_the_byte() {
    let look = Contract {
        name: "look".into(),
        path: "shop::look".into(),
        description: "Look.\n\nTwice: once here # and there.".into(),
        version: 1,
        policy: Policy {
            side_effect: SideEffect::Read,
            idempotency: Idempotency::Read,
            retry: Retry::ONCE,
            timeout: Policy::DEFAULT_TIMEOUT,
            ttl: Ttl::DEFAULT,
            rollback: Rollback::Read,
            reconcile: None,
            confirm: None,
            limits: [].as_slice().into(),
            breaker: None,
            in_flight: InFlight::Wait,
            remint: Remint::Warn,
        },
        arguments: [].as_slice().into(),
        allow: [].as_slice().into(),
    };
    let look = Emitted {
        contract: look,
        arguments_schema: json!({ "type": "object" }),
        output_schema: json!({ "anyOf": [{ "type": "null" }, { "const": "no", "maximum": 1.0 }], "enum": [[1], [2, [3]]] }),
    };
    assert_eq!(write(&[look, full_tool()]), include_str!("written.yaml"));
}

#[test]
fn no_tools_are_written_as_none() {
    let text = write(&[]);
    assert!(text.ends_with("version: 1\ntools: {}\n"), "{text}");
    assert_eq!(read(&text).expect("readable").entries, []);
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_differs_in_nothing(tools in tools()) {
        let text = write(&tools);
        let document = read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(denied(&document.findings), Vec::<String>::new(), "{}", text);
        prop_assert_eq!(document.entries.len(), tools.len());
        for tool in &tools {
            let entry = document.entry(&tool.contract.name).expect("the entry");
            prop_assert_eq!(entry.contract.as_ref(), Some(&tool.contract), "{}", text);
            prop_assert_eq!(entry.schemas.arguments.as_ref(), Some(&tool.arguments_schema), "{}", text);
            prop_assert_eq!(entry.schemas.output.as_ref(), Some(&tool.output_schema), "{}", text);
            prop_assert_eq!(compare(&tool.contract, entry), vec![]);
            prop_assert_eq!(compare_schemas(tool, entry), vec![]);
        }
    }

    #[test]
    fn the_same_tools_make_the_same_bytes(tools in tools()) {
        let backwards: Vec<Emitted> = tools.iter().rev().cloned().collect();
        prop_assert_eq!(write(&tools), write(&backwards));
    }
}
