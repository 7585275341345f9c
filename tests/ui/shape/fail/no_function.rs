use tool_contract::tool;

#[tool(side_effect = "read")]
struct LookUp;

fn main() {
    let _ = LookUp;
}
