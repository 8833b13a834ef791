//! The same thing that waits for a message and has nothing else to do, in each library: what it takes to have one.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::limits;
use crate::servers::net_core::runtime;
use components::util::EchoProtocol;
use components::{Net, System};
use std::convert::Infallible;
use std::future::Future;
use tokio::sync::mpsc;
use tokio::task::yield_now;

/// Started before the first reading, so that the code of all is in memory by then.
const WARM_UP: u64 = 100;
/// Room in each box, where there is a bound: what components have if nobody says otherwise.
const CAPACITY: usize = components::DEFAULT_CAPACITY;

/// What one takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Bytes of memory.
    pub bytes: f64,
    /// Nanoseconds of processor time until it waits.
    pub start: f64,
}

/// Starts so many in a process of its own.
pub type Idle = fn(u64) -> Outcome<Taken>;

async fn measure<T, F: Future<Output = Outcome<T>>>(count: u64, start: impl Fn() -> F) -> Outcome<Taken> {
    let many = async |count: u64| -> Outcome<Vec<T>> {
        let mut all = Vec::with_capacity(usize::try_from(count)?);
        for _ in 0..count {
            all.push(start().await?);
        }
        // Each of them runs, and waits.
        for _ in 0..10 {
            yield_now().await;
        }
        Ok(all)
    };
    let _first = many(WARM_UP).await?;
    let before = limits::resident()?;
    let meter = Meter::start(Account::ThisThread)?;
    let _all = many(count).await?;
    let spent = meter.stop()?;
    let bytes = limits::resident()?.saturating_sub(before);
    Ok(Taken {
        bytes: bytes as f64 / count as f64,
        start: spent.cpu.as_secs_f64() * 1e9 / count as f64,
    })
}

/// A task of tokio's with a bounded mpsc.
///
/// # Errors
/// If the runtime can't be made.
pub fn tokio(count: u64) -> Outcome<Taken> {
    runtime()?.block_on(measure(count, || async {
        let (sender, mut receiver) = mpsc::channel::<u64>(CAPACITY);
        tokio::spawn(async move { while receiver.recv().await.is_some() {} });
        Ok(sender)
    }))
}

/// A component of ours: an echo with its four boxes.
///
/// # Errors
/// If the runtime can't be made.
pub fn components(count: u64) -> Outcome<Taken> {
    runtime()?.block_on(async {
        let system = System::new(&Net::os());
        measure(count, || async { Ok(system.activate(EchoProtocol::<u64>::new())?) }).await
    })
}

/// An actor of actix.
///
/// # Errors
/// None.
pub fn actix(count: u64) -> Outcome<Taken> {
    use actix::{Actor, Context};
    struct Waiting;
    impl Actor for Waiting {
        type Context = Context<Self>;
    }
    actix::System::new().block_on(measure(count, || async { Ok(Waiting.start()) }))
}

/// An actor of ractor.
///
/// # Errors
/// If one can't be started.
pub fn ractor(count: u64) -> Outcome<Taken> {
    use ractor::{Actor, ActorProcessingErr, ActorRef};
    struct Waiting;
    impl Actor for Waiting {
        type Msg = u64;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<u64>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }
    runtime()?.block_on(measure(count, || async {
        let spawned = Actor::spawn(None, Waiting, ()).await;
        Ok(spawned.map_err(|error| error.to_string())?)
    }))
}

/// An actor of kameo, with a bounded mailbox.
///
/// # Errors
/// If the runtime can't be made.
pub fn kameo(count: u64) -> Outcome<Taken> {
    use kameo::mailbox;
    use kameo::prelude::{Actor, ActorRef, Spawn};
    struct Waiting;
    impl Actor for Waiting {
        type Args = Self;
        type Error = Infallible;

        async fn on_start(state: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
            Ok(state)
        }
    }
    runtime()?.block_on(measure(count, || async {
        Ok(Waiting::spawn_with_mailbox(Waiting, mailbox::bounded(CAPACITY)))
    }))
}
