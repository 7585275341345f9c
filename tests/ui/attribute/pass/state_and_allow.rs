#![deny(deprecated)]

use tool_contract::{Cx, tool};
use tool_contract_tests::ui::{Provider, Receipt, ShopError, receipt};

#[tool(side_effect = "read", state(Provider, std::collections::BTreeMap<String, u64>), allow(TC0105, TC0107))]
async fn look_up(cx: &Cx, request_id: String) -> Result<Receipt, ShopError> {
    let _: &Provider = cx.state::<Provider>();
    receipt(&request_id)
}

fn main() {}
