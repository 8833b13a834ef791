//! What a component's body can do besides its boxes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use net_core::Net;

use crate::boxes::{AnyNode, Node};
use crate::component::Prepared;
use crate::owner::Owner;
use crate::{Active, BoxOptions, Component, Inbox, LinkError, Outbox, Resources, Services, Signal, Stopped, System};

/// What a component's body can do besides its boxes: time, the network, children, services, boxes made at run time.
#[derive(Debug)]
pub struct Context {
    system: System,
    owner: Arc<Owner>,
    signal: Outbox<Signal>,
}

impl Context {
    pub(crate) fn new(system: &System, owner: &Arc<Owner>) -> Self {
        Self {
            system: system.clone(),
            owner: Arc::clone(owner),
            signal: owner.signal().map_or_else(Outbox::new, Outbox::on),
        }
    }

    /// The component's name: that of its type, and a number.
    pub fn name(&self) -> &Arc<str> {
        self.owner.name()
    }

    /// The network.
    pub fn net(&self) -> &Net {
        self.system.net()
    }

    /// The system that it runs in.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The registry of services.
    pub fn services(&self) -> &Services {
        self.system.services()
    }

    /// Sends a signal by the `signal` box. A [`ProducerFinished`](Signal::ProducerFinished) or
    /// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) sent here takes the place of the one at the end.
    pub fn signal(&mut self, signal: Signal) {
        // A box of signals takes everything.
        let _ = self.signal.try_send(signal);
    }

    /// Its children say by its `signal` what is to be said.
    pub(crate) fn say_nothing_at_the_end(&self) {
        self.signal.node.said_end.store(true, Ordering::Relaxed);
    }

    /// An outbox that leads to its own control box.
    pub(crate) fn own_control(&self) -> Outbox<Signal> {
        let outbox = Outbox::new();
        if let Some(control) = self.owner.control() {
            // Newly made and of the same type: nothing can be in the way.
            let _ = outbox.node.link(&control, None, false);
        }
        outbox
    }

    /// Links an outbox of signals to its own control box.
    pub(crate) fn link_to_control(&self, from: &Arc<Node<Signal>>) -> Result<(), LinkError> {
        match self.owner.control() {
            Some(control) => from.link(&control, None, false),
            // It has ended.
            None => Ok(()),
        }
    }

    /// Ends what waits inside when its task is dropped.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.owner))
    }

    /// Whether it was told to end at once. Only for components without a `control` field, as all that follows.
    pub fn is_stopped(&self) -> bool {
        self.owner.is_stopped()
    }

    /// Whether it was told to end, at once or when everything is done.
    pub fn is_finishing(&self) -> bool {
        self.owner.is_finishing() || self.owner.is_stopped()
    }

    /// The signal that told it to end.
    pub fn heard(&self) -> Option<Signal> {
        self.owner.heard()
    }

    /// Waits until it is told to end at once. Cancel safe.
    pub async fn stopped(&self) {
        self.owner.listen(|| self.owner.is_stopped().then_some(())).await;
    }

    /// Waits until it is told to end, in either way. Cancel safe.
    pub async fn finishing(&self) {
        self.owner.listen(|| self.is_finishing().then_some(())).await;
    }

    /// Waits for a signal at its control box that does not end it. Cancel safe.
    pub async fn notice(&self) -> Signal {
        self.owner.listen(|| self.owner.take_notice()).await
    }

    /// Runs something else than boxes until it is done, or until the component is told to end at once; then it is dropped.
    ///
    /// # Errors
    /// [`Stopped`], which ends the component if it is passed on with `?`, and is not counted as a failure.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let (mut work, mut stopped) = (pin!(work), pin!(self.stopped()));
        poll_fn(|cx| {
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Stopped));
            }
            work.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Waits for a duration.
    ///
    /// # Errors
    /// [`Stopped`], as [`run`](Self::run).
    pub async fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        self.run(self.net().sleep(duration)).await
    }

    /// Starts a child. It is told to end at once if it still runs when this component ends.
    ///
    /// # Errors
    /// As [`System::activate`].
    pub fn spawn(&self, child: impl Component) -> net_core::Result<Active> {
        self.launch(Prepared::new(child), false)
    }

    pub(crate) fn launch(&self, child: Prepared, quiet: bool) -> net_core::Result<Active> {
        self.system.launch(child, Some(&self.owner), quiet)
    }

    /// Adds an inbox at run time. If the name is taken a number is added to it: [`Inbox::name`] tells.
    pub fn add_inbox<T: Send + 'static>(&self, name: &str, options: BoxOptions) -> Inbox<T> {
        let inbox = Inbox::with(options);
        self.add(name, Arc::clone(&inbox.node) as _);
        inbox
    }

    /// Adds an outbox at run time. If the name is taken a number is added to it: [`Outbox::name`] tells.
    pub fn add_outbox<T: Send + 'static>(&self, name: &str) -> Outbox<T> {
        let outbox = Outbox::new();
        self.add(name, Arc::clone(&outbox.node) as _);
        outbox
    }

    /// An empty list of the resources that it makes boxes for.
    pub fn resources<R: Ord, I>(&self) -> Resources<R, I> {
        Resources::new(&self.owner)
    }

    fn add(&self, name: &str, node: Arc<dyn AnyNode>) {
        let boxes = self.owner.boxes();
        let taken = |name: &str| {
            boxes
                .iter()
                .any(|known| known.direction() == node.direction() && known.box_name() == name)
        };
        let mut real = name.to_owned();
        let mut number = 1_u64;
        while taken(&real) {
            real = format!("{name}{number}");
            number += 1;
        }
        node.set_label(real.into(), "Added at run time.".into(), Some(Arc::clone(&self.owner)));
        self.owner.add_box(&node);
    }

    /// Takes an inbox away that was added: its links go, and messages that wait in it are lost; how many.
    pub fn delete_inbox<T: Send + 'static>(&self, inbox: Inbox<T>) -> usize {
        let waiting = inbox.len();
        (Arc::clone(&inbox.node) as Arc<dyn AnyNode>).detach();
        drop(inbox);
        waiting
    }

    /// Takes an outbox away that was added, with its links.
    pub fn delete_outbox<T: Send + 'static>(&self, outbox: Outbox<T>) {
        (Arc::clone(&outbox.node) as Arc<dyn AnyNode>).detach();
        drop(outbox);
    }
}

/// Whichever is ready first.
#[cfg(feature = "derive")]
pub(crate) async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Pending => other.as_mut().poll(cx),
        ready @ Poll::Ready(_) => ready,
    })
    .await
}

/// Tells everything inside a component that it is over.
#[derive(Debug)]
pub(crate) struct Stopper(Arc<Owner>);

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}
