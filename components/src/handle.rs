//! Boxes for code outside of components.

use std::sync::Arc;

use crate::component::{Component, HasInbox, HasOutbox, Prepared};
use crate::{Active, Delivery, Inbox, LinkError, Outbox, SendError, Signal, System};

/// A running component's four usual boxes, for code outside: made by [`System::activate_with_handle`].
///
/// ```
/// use components::{Net, System, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut handle = System::new(&Net::os()).activate_with_handle(map(|n: u32| n * 2))?;
/// handle.put(21).await?;
/// assert_eq!(handle.get().await, Some(42));
/// handle.component.finish();
/// assert_eq!(handle.get().await, None);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Handle<I: Send + 'static, O: Send + 'static> {
    /// Leads to the component's `inbox`.
    pub inbox: Outbox<I>,
    /// Leads to its `control`.
    pub control: Outbox<Signal>,
    /// Gets what its `outbox` sends, and ends with it.
    pub outbox: Inbox<O>,
    /// Gets what its `signal` sends, and ends with it.
    pub signal: Inbox<Signal>,
    /// The component.
    pub component: Active,
}

/// Why a component was not started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StartError {
    /// One of its boxes is linked already.
    Link(LinkError),
    /// The network can't run tasks here.
    Net(net_core::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Net(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<LinkError> for StartError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<net_core::Error> for StartError {
    fn from(error: net_core::Error) -> Self {
        Self::Net(error)
    }
}

impl System {
    /// Starts a component with a handle on its boxes. Of what nobody takes by the handle, 64 messages wait at its
    /// `outbox`; then the component waits.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn activate_with_handle<C>(&self, component: C) -> Result<Handle<C::In, C::Out>, StartError>
    where
        C: Component + HasInbox + HasOutbox,
    {
        let (inbox, outbox) = (Outbox::new(), Inbox::new());
        let (control, signal) = (Outbox::new(), Inbox::new());
        crate::link(&inbox, component.inbox())?;
        crate::link(component.outbox(), &outbox)?;
        let prepared = Prepared::new(component);
        let (own_control, own_signal) = (Arc::clone(&prepared.control), Arc::clone(&prepared.signal));
        control.node.link(&own_control, None, false)?;
        own_signal.link(&signal.node, None, false)?;
        let component = self.launch(prepared, None, false)?;
        Ok(Handle {
            inbox,
            control,
            outbox,
            signal,
            component,
        })
    }
}

impl<I: Send + 'static, O: Send + 'static> Handle<I, O> {
    /// Sends to the component's `inbox`; waits while that is full. [`Delivery::Undeliverable`] or
    /// [`Delivery::Discarded`] tells that the component has ended.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub async fn put(&mut self, message: I) -> Result<Delivery, SendError<I>> {
        self.inbox.send(message).await
    }

    /// Sends to the component's `inbox` if there is room.
    ///
    /// # Errors
    /// As [`Outbox::try_send`].
    pub fn try_put(&mut self, message: I) -> Result<Delivery, SendError<I>> {
        self.inbox.try_send(message)
    }

    /// The next message of the component's `outbox`; `None` when it has ended and all is taken.
    pub async fn get(&mut self) -> Option<O> {
        self.outbox.recv().await
    }

    /// A message of the component's `outbox` that is there now.
    pub fn try_get(&mut self) -> Option<O> {
        self.outbox.try_recv()
    }
}
