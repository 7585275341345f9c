//! Several steps at once.

use std::future::Future;

use crate::together;
use crate::tool::BoxFuture;

/// Steps that are made at once: a tuple of two to eight, or a `Vec`.
pub trait Together<'s> {
    /// Their results, in the same order.
    type Output;
    /// Waits until each has ended.
    fn together(self) -> BoxFuture<'s, Self::Output>;
}

macro_rules! tuples {
    ($(($($step:ident)+))+) => {$(
        impl<'s, $($step),+> Together<'s> for ($($step,)+)
        where
            $($step: Future + Send + 's, $step::Output: Send,)+
        {
            type Output = ($($step::Output,)+);

            #[allow(non_snake_case, reason = "the types' names serve as the steps'")]
            fn together(self) -> BoxFuture<'s, Self::Output> {
                let ($($step,)+) = self;
                Box::pin(async move { tokio::join!($($step),+) })
            }
        }
    )+};
}

tuples! {
    (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

impl<'s, F> Together<'s> for Vec<F>
where
    F: Future + Send + Unpin + 's,
    F::Output: Send,
{
    type Output = Vec<F::Output>;

    fn together(self) -> BoxFuture<'s, Self::Output> {
        // A saga has so few steps that none has to wait for room.
        Box::pin(together::all(self, usize::MAX))
    }
}
