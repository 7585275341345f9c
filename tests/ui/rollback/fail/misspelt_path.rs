use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "stok::put_back")]
async fn reserve(item: String) -> Result<Receipt, ShopError> {
    receipt(&item)
}

mod stock {
    use tool_contract::Done;
    use tool_contract_tests::ui::ShopError;

    pub(super) async fn put_back(_: Done<super::Reserve>) -> Result<(), ShopError> {
        Ok(())
    }
}

fn main() {}
