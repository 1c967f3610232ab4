//! One verb on its way to a connection: the closure, and whoever waits for its outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::sql::Tx;

/// A verb with its types erased. It may be run several times and is answered once; nobody listening any more changes
/// nothing about it.
pub(crate) struct Job {
    turn: Box<ErasedVerb>,
    pub(crate) kind: JobKind,
    pub(crate) fault: Option<Fault>,
}

type ErasedVerb = dyn FnMut(Turn<'_, '_>) -> Result<(), StoreError> + Send;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    Read,
    Write,
}

/// A planned failure of a write, so that tests can see every caller deny (design §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is changed, and the caller learns that.
    BeforeCommit,
    /// The change is made, and the caller cannot learn it.
    AfterCommit,
}

/// A fault, and how many writes go well before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) before: u32,
    pub(crate) fault: Fault,
}

impl Planned {
    /// What the write at hand meets. A fault comes once.
    pub(crate) fn come(planned: &mut Option<Self>) -> Option<Fault> {
        match planned {
            Some(Self { before: 0, .. }) => planned.take().map(|planned| planned.fault),
            Some(Self { before, .. }) => {
                *before -= 1;
                None
            }
            None => None,
        }
    }
}

enum Turn<'j, 't> {
    Run(&'j mut Tx<'t>),
    Answer(Result<(), StoreError>),
}

impl Job {
    pub(crate) fn new<T: Send + 'static>(
        kind: JobKind,
        verb: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let mut outcome = None;
        let turn = move |turn: Turn<'_, '_>| match turn {
            Turn::Run(tx) => {
                outcome = None;
                outcome = Some(verb(tx)?);
                Ok(())
            }
            Turn::Answer(result) => {
                let lost = || StoreError::failed("the verb was not run");
                let answer = result.and_then(|()| outcome.take().ok_or_else(lost));
                // A receiver that hung up is not an error: the verb is done all the same.
                let _ = sender.take().map(|sender| sender.send(answer));
                Ok(())
            }
        };
        (
            Self {
                turn: Box::new(turn),
                kind,
                fault: None,
            },
            receiver,
        )
    }

    /// Runs the verb once. A panic inside costs this verb, not its neighbours nor the thread.
    pub(crate) fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match catch_unwind(AssertUnwindSafe(|| (self.turn)(Turn::Run(tx)))) {
            Ok(Ok(())) if tx.broken() => {
                Err(StoreError::failed("a statement failed and was not heard"))
            }
            Ok(result) => result,
            Err(_) => {
                tracing::error!("a store verb panicked");
                Err(StoreError::failed("the verb panicked"))
            }
        }
    }

    pub(crate) fn answer(mut self, result: Result<(), StoreError>) {
        let _ = (self.turn)(Turn::Answer(result));
    }

    /// What a planned fault makes of a verb that went well, before the commit.
    pub(crate) fn fault_before_commit(&self) -> Result<(), StoreError> {
        match self.fault {
            Some(Fault::BeforeCommit) => Err(StoreError::failed("planned fault before commit")),
            Some(Fault::AfterCommit) | None => Ok(()),
        }
    }

    /// What a planned fault makes of a commit that went well.
    pub(crate) fn fault_after_commit(&self) -> Result<(), StoreError> {
        match self.fault {
            Some(Fault::AfterCommit) => {
                Err(StoreError::Unknown("planned fault after commit".into()))
            }
            Some(Fault::BeforeCommit) | None => Ok(()),
        }
    }
}
