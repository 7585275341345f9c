use tool_contract::{Tool, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn r#match(r#type: String) -> Result<Receipt, ShopError> {
    receipt(&r#type)
}

fn main() {
    assert_eq!(Match::contract().name, "match");
    assert_eq!(Match::contract().arguments[0].name, "type");
}
