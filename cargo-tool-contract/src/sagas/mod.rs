//! `sagas`: what sagas did, and what they wait for.

mod ls;
mod show;
mod story;

use crate::End;
use crate::args::{Sagas, SagasCommand};
use crate::operator::Desk;

pub(crate) fn run(args: &Sagas) -> End {
    Desk::open(&args.access, async |desk| match &args.command {
        SagasCommand::Ls(list) => ls::run(&desk, list).await,
        SagasCommand::Show(show) => show::run(&desk, show).await,
    })
}
