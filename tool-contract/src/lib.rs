#![doc = include_str!("../../README.md")]

pub use tool_contract_macros::{ToolError, contract, saga, tool};
pub use tool_contract_runtime::saga as sagas;
pub use tool_contract_runtime::{
    About, Approval, Asked, Budget, BuildError, Call, CallError, Calling, Completed, Cx, Done,
    Escalation, Escalations, Failure, LedgerFailure, Meta, PendingApproval, Rejected, Request,
    Response, Runtime, RuntimeBuilder, Saga, Status, StepError, Tool, ToolError, UnknownOutcome,
};
pub use tool_contract_runtime::{
    approval, classify, clock, escalation, ledger, runtime, testing, two_phase, versioned,
};

/// The policy model, the rulebook and the pure functions behind it.
pub use tool_contract_runtime::spec;
/// The key under which secret arguments are hashed.
pub use tool_contract_runtime::spec::operation::SecretKey;
/// Outcome classes and their causes.
pub use tool_contract_runtime::spec::outcome::{Cause, Outcome, OutcomeClass};
/// Limits over the tools of a class.
pub use tool_contract_runtime::spec::policy::{Limit, Quota, SideEffect};

/// The crate whose `JsonSchema` arguments and outputs derive.
pub use schemars;

/// What generated code names. Nothing here is public API.
#[doc(hidden)]
pub mod __private {
    pub use tool_contract_runtime::private::*;
    pub use tool_contract_runtime::{Call, ToolError};

    /// Registers a tool with those that are linked into the program.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __submit {
        ($tool:ty) => {
            $crate::__private::inventory::submit! { $crate::__private::Linked::of::<$tool>() }
        };
    }
    pub use crate::__submit as submit;
}
