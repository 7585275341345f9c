#![deny(warnings)]

use std::time::Duration;

use tool_contract::{Cause, OutcomeClass, ToolError};
use tool_contract_tests::ui::ShopError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("invalid")]
    #[outcome(validation_failure)]
    Invalid,
    #[error("forbidden: {0}")]
    #[outcome(permission_denied)]
    Forbidden(String),
    #[error("gone: {what}")]
    #[outcome(permanent_failure)]
    Gone { what: String },
    #[error("busy")]
    #[outcome(retryable_failure(rate_limited))]
    Busy {
        #[retry_after]
        after: Duration,
    },
    #[error("down")]
    #[outcome(retryable_failure)]
    Down(u16, #[retry_after] Option<Duration>),
    #[error("later")]
    #[outcome(retryable)]
    Later,
    #[error("no answer")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
    #[error(transparent)]
    #[outcome(transparent)]
    Shop(ShopError),
    #[error("{shop}")]
    #[outcome(transparent)]
    ShopByName { shop: ShopError },
}

#[derive(Debug, thiserror::Error, ToolError)]
#[error("wait")]
#[outcome(retryable_failure(unavailable))]
pub struct Wait {
    #[retry_after]
    pub until: Option<Duration>,
}

#[derive(Debug, thiserror::Error, ToolError)]
#[error(transparent)]
#[outcome(crate = tool_contract)]
#[outcome(transparent)]
pub struct Wrapped(#[from] ShopError);

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Never {}

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Generic<E: std::fmt::Debug + std::fmt::Display> {
    #[error("{0}")]
    #[outcome(transparent)]
    Inner(E),
    #[error("other")]
    #[outcome(permanent_failure)]
    Other,
}

fn class(error: &dyn ToolError) -> OutcomeClass {
    error.outcome().class
}

fn main() {
    let second = Duration::from_secs(1);
    assert_eq!(class(&Failed::Invalid), OutcomeClass::ValidationFailure);
    assert_eq!(class(&Failed::Forbidden(String::new())), OutcomeClass::PermissionDenied);
    assert_eq!(class(&Failed::Gone { what: String::new() }), OutcomeClass::PermanentFailure);
    assert_eq!(class(&Failed::Later), OutcomeClass::RetryableFailure(Cause::Other));
    assert_eq!(class(&Failed::NoAnswer), OutcomeClass::SideEffectUnknown);
    assert_eq!(class(&Failed::Shop(ShopError::Declined)), OutcomeClass::ValidationFailure);
    assert_eq!(
        class(&Failed::ShopByName { shop: ShopError::Busy }),
        OutcomeClass::RetryableFailure(Cause::Unavailable)
    );
    assert_eq!(class(&Wrapped(ShopError::Declined)), OutcomeClass::ValidationFailure);
    assert_eq!(class(&Generic::Inner(ShopError::Declined)), OutcomeClass::ValidationFailure);
    assert_eq!(class(&Generic::<ShopError>::Other), OutcomeClass::PermanentFailure);

    let busy = Failed::Busy { after: second }.outcome();
    assert_eq!(busy.class, OutcomeClass::RetryableFailure(Cause::RateLimited));
    assert_eq!(busy.retry_after, Some(second));
    assert_eq!(Failed::Down(503, None).outcome().retry_after, None);
    assert_eq!(Wait { until: Some(second) }.outcome().retry_after, Some(second));
    let _: Option<Never> = None;
}
