#![deny(warnings)]

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
pub(crate) async fn in_a_crate(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

mod inner {
    use tool_contract::tool;
    use tool_contract_tests::ui::{Receipt, ShopError, receipt};

    #[tool(side_effect = "read")]
    pub(super) async fn in_a_module(order_id: String) -> Result<Receipt, ShopError> {
        receipt(&order_id)
    }
}

macro_rules! tools {
    ($($name:ident($argument:ident: $type:ty) -> $output:ty;)*) => {
        $(
            #[tool(side_effect = "read")]
            async fn $name($argument: $type) -> $output {
                receipt(&$argument.to_string())
            }
        )*
    };
}

tools! {
    from_a_macro(order_id: String) -> Result<Receipt, ShopError>;
    from_a_macro_too(order_id: u64) -> Result<Receipt, ShopError>;
}

fn main() {
    #[tool(side_effect = "read")]
    async fn in_a_function(order_id: String) -> Result<Receipt, ShopError> {
        receipt(&order_id)
    }

    let _ = (in_a_crate("1".into()), inner::in_a_module("2".into()), in_a_function("3".into()));
    let _ = (from_a_macro("4".into()), from_a_macro_too(5));
}
