use tool_contract::{Done, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "put_bak")]
async fn reserve(item: String) -> Result<Receipt, ShopError> {
    receipt(&item)
}

async fn put_back(_: Done<Reserve>) -> Result<(), ShopError> {
    Ok(())
}

fn main() {}
