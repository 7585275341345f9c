//! The contract file beside the code: what is compared, where it is reported,
//! and what makes cargo look again.

use crate::package::{DEPENDENCIES, Package, said, underlined};

const LIBRARY: &str = r#"
use tool_contract::tool;

tool_contract::contract!();

/// Charges an order.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "20s")]
pub async fn charge(
    /// The order that is paid for.
    order_id: String,
    cents: u64,
) -> Result<u64, std::convert::Infallible> {
    let _ = order_id;
    Ok(cents)
}
"#;

const CONTRACT: &str = "
tools:
  charge:
    mode: write
    idempotent: true
    idempotency_key_required: true
    timeout: 20s
    rollback: { strategy: none }
";

#[test]
fn a_missing_file_is_an_error_that_says_how_to_write_it() {
    let package = Package::new("missing_file", LIBRARY);
    let error = package.error();
    assert!(error.contains("there is no contract file `tool-contract.yaml`"), "{error}");
    assert!(error.contains("TOOL_CONTRACT=overwrite cargo test"), "{error}");

    let written = package.cargo(&["test"], Some("overwrite"));
    assert!(written.status.success(), "{}", said(&written));
    let contract = package.read("tool-contract.yaml");
    assert!(contract.contains("charge:"), "{contract}");
    assert!(contract.contains("description: The order that is paid for."), "{contract}");
    package.builds();
    let current = package.cargo(&["test"], None);
    assert!(current.status.success(), "{}", said(&current));
}

#[test]
fn what_the_file_says_otherwise_is_an_error_at_the_attribute() {
    let package = Package::new("file_differs", LIBRARY);
    package.write("tool-contract.yaml", CONTRACT);
    package.builds();

    // Nothing but the file changes: cargo has to notice that.
    package.write("tool-contract.yaml", &CONTRACT.replace("20s", "25s"));
    let error = package.error();
    assert!(
        error.contains(
            "[TC0018] `charge`: `timeout` is 20s in the code and 25s in the contract file"
        ),
        "{error}"
    );
    assert_eq!(underlined(&error), "\"20s\"");

    package.write("tool-contract.yaml", &CONTRACT.replace("20s", "20000ms"));
    package.builds();
}

#[test]
fn what_the_attribute_leaves_out_is_an_error_at_what_encloses_it() {
    let package = Package::new("attribute_leaves_out", LIBRARY);
    package.write(
        "tool-contract.yaml",
        &format!("{CONTRACT}    rate_limit: {{ per_user_per_hour: 6 }}\n"),
    );
    let error = package.error();
    assert!(error.contains("`rate_limit.per_user`"), "{error}");
    assert!(underlined(&error).starts_with("#[tool("), "{error}");
}

#[test]
fn a_tool_that_the_file_lacks_is_an_error_at_its_name() {
    let package = Package::new("file_lacks_a_tool", LIBRARY);
    package.write("tool-contract.yaml", &CONTRACT.replace("charge:", "refund:"));
    let error = package.error();
    assert!(error.contains("[TC0018] the contract file has no tool `charge`"), "{error}");
    assert_eq!(underlined(&error), "charge");
}

#[test]
fn a_tool_that_only_tests_or_examples_have_is_in_no_contract() {
    let tool = r#"
        #[tool_contract::tool(side_effect = "read")]
        async fn look_up(order_id: String) -> Result<String, std::convert::Infallible> {
            Ok(order_id)
        }
    "#;
    let unit = format!("{LIBRARY}\n#[cfg(test)]\nmod tests {{\n{tool}\n}}\n");
    let package = Package::new("tools_of_tests", &unit);
    package.write("tool-contract.yaml", CONTRACT);
    package.write("tests/whole.rs", tool);
    package.write("examples/shop.rs", &format!("{tool}\nfn main() {{}}\n"));
    let output = package.cargo(&["test"], Some("report"));
    // It compiled; that nobody said where to report to is another matter.
    assert!(said(&output).contains("TOOL_CONTRACT=report needs"), "{}", said(&output));
    package.builds();
    let targets = package.cargo(&["build", "--all-targets"], None);
    assert!(targets.status.success(), "{}", said(&targets));
}

#[test]
fn a_tool_that_the_code_lacks_fails_the_test() {
    let package = Package::new("code_lacks_a_tool", LIBRARY);
    let gone = CONTRACT.replace("charge:", "refund:").replace("tools:\n", "");
    package.write("tool-contract.yaml", &format!("{CONTRACT}{}", gone.trim_start_matches('\n')));
    package.builds();
    let output = package.cargo(&["test"], None);
    assert!(!output.status.success());
    assert!(said(&output).contains("the code has no tool `refund`"), "{}", said(&output));
}

#[test]
fn a_rule_that_the_file_breaks_is_an_error_with_its_place() {
    let package = Package::new("file_breaks_a_rule", LIBRARY);
    package.write("tool-contract.yaml", &CONTRACT.replace("timeout: 20s", "timeout: soon"));
    let error = package.error();
    assert!(error.contains("tool-contract.yaml:7:14: [TC0015]"), "{error}");
    assert_eq!(underlined(&error), "tool_contract::contract!()");
}

#[test]
fn a_file_that_is_no_contract_is_an_error_with_its_place() {
    let package = Package::new("file_is_no_contract", LIBRARY);
    package.write("tool-contract.yaml", "tools: [charge\n");
    let error = package.error();
    assert!(error.contains("tool-contract.yaml:"), "{error}");
}

#[test]
fn the_manifest_may_name_the_file() {
    let manifest = format!(
        "{DEPENDENCIES}\n\n[package.metadata.tool-contract]\nfile = \"contracts/shop.yaml\""
    );
    let package = Package::with_manifest("file_is_named", LIBRARY, &manifest);
    let error = package.error();
    assert!(error.contains("there is no contract file `contracts/shop.yaml`"), "{error}");
    package.write("contracts/shop.yaml", CONTRACT);
    package.builds();
}

#[test]
fn a_library_of_another_name_is_one_error_that_says_what_to_write() {
    let dependencies = "shop_tools = { package = \"tool-contract\", path = \"LIBRARY\" }";
    let source =
        LIBRARY.replace("tool_contract::contract!();", "").replace("tool_contract", "shop_tools");
    let package = Package::with_manifest("library_renamed", &source, dependencies);
    let error = package.error();
    assert!(error.contains("`charge` cannot find `::tool_contract`"), "{error}");
    assert!(error.contains("#[tool(crate = path::to::tool_contract, ..)]"), "{error}");

    package.write("src/lib.rs", &source.replace("#[tool(", "#[tool(crate = shop_tools, "));
    package.builds();
}
