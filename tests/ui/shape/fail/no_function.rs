use tool_contract::tool;
use tool_contract_tests::ui::*;

#[tool(side_effect = "read")]
struct LookUp;

fn main() {
    let _ = LookUp;
}
