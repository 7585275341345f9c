//! The hash of ten arguments, beside `serde_json` and SHA-256.

use std::any::Any;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tool_contract::spec::canonical::{self, CanonicalError, Form};
use tool_contract::spec::operation::{Operation, OperationHasher};

use crate::rounds::{Rounds, aim, timed};
use crate::tools::Purchase;

const CALLS: u32 = 2_000;
const ROUNDS: usize = 301;

const PLAIN: &str = "serde_json::to_vec and SHA-256";
const OPERATION: &str = "operation_hash";

/// An argument as the macro sets it up: found and written without its type.
struct Argument {
    name: &'static str,
    get: fn(&Purchase) -> &dyn Any,
    write: fn(&dyn Any, &mut String) -> Result<Form, CanonicalError>,
}

const fn argument<A: Serialize + 'static>(
    name: &'static str,
    get: fn(&Purchase) -> &dyn Any,
) -> Argument {
    Argument {
        name,
        get,
        write: |value, out| canonical::write(value.downcast_ref::<A>().expect("its type"), out),
    }
}

/// In the order of RFC 8785, in which the macro puts them.
const ARGUMENTS: &[Argument] = &[
    argument::<u64>("amount_cents", |order| &order.amount_cents),
    argument::<String>("currency", |order| &order.currency),
    argument::<String>("customer_id", |order| &order.customer_id),
    argument::<bool>("express", |order| &order.express),
    argument::<Vec<String>>("items", |order| &order.items),
    argument::<Option<String>>("note", |order| &order.note),
    argument::<String>("order_id", |order| &order.order_id),
    argument::<u32>("quantity", |order| &order.quantity),
    argument::<String>("ship_to", |order| &order.ship_to),
    argument::<u32>("weight_grams", |order| &order.weight_grams),
];

pub(crate) fn run() {
    let order = Purchase::of("order-1017".to_owned());
    let figures = Rounds::default()
        .case(PLAIN, CALLS, || {
            timed(|| (0..CALLS).for_each(|_| drop(std::hint::black_box(plain(&order)))))
        })
        .case(OPERATION, CALLS, || {
            timed(|| (0..CALLS).for_each(|_| drop(std::hint::black_box(operation(&order)))))
        })
        .run(ROUNDS);
    figures.print("hash of ten arguments", PLAIN);
    println!();
    aim("operation_hash of ten arguments", figures.ratio(OPERATION, PLAIN), 2.0, "×");
}

fn plain(order: &Purchase) -> (Vec<u8>, [u8; 32]) {
    let json = serde_json::to_vec(std::hint::black_box(order)).expect("it is plain data");
    let hash = Sha256::digest(&json).into();
    (json, hash)
}

fn operation(order: &Purchase) -> Operation {
    let order = std::hint::black_box(order);
    let mut hasher = OperationHasher::new("place_order", 1);
    for argument in ARGUMENTS {
        let value = (argument.get)(order);
        hasher
            .argument(argument.name, |out| (argument.write)(value, out))
            .expect("it is plain data, in order");
    }
    hasher.finish(None)
}
