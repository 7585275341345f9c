//! Several steps at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

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
        Box::pin(async move {
            let mut steps: Vec<_> = self.into_iter().map(Waiting::Step).collect();
            poll_fn(|cx| {
                let mut is_ready = true;
                for waiting in &mut steps {
                    if let Waiting::Step(step) = waiting {
                        match Pin::new(step).poll(cx) {
                            Poll::Ready(output) => *waiting = Waiting::Ended(Some(output)),
                            Poll::Pending => is_ready = false,
                        }
                    }
                }
                if is_ready { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            let ended = steps.into_iter().filter_map(|waiting| match waiting {
                Waiting::Ended(output) => output,
                Waiting::Step(_) => None,
            });
            ended.collect()
        })
    }
}

enum Waiting<F: Future> {
    Step(F),
    Ended(Option<F::Output>),
}
