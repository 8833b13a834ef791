//! What a component is: a set of boxes, and a body that uses them.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::boxes::{AnyNode, Direction, Node};
use crate::ear::Ear;
use crate::{Context, Failure, Inbox, LinkError, Outbox, Signal};

/// How a component's body ends.
pub type Outcome = Result<(), Failure>;

/// A small program with inboxes and outboxes.
///
/// ```
/// use components::{Boxes, Component, Context, Inbox, Outbox, Outcome};
///
/// /// Multiplies what comes.
/// #[derive(Boxes, Default)]
/// struct Times {
///     /// Numbers.
///     inbox: Inbox<u64>,
///     /// Larger numbers.
///     outbox: Outbox<u64>,
///     factor: u64,
/// }
///
/// impl Component for Times {
///     async fn main(mut self, _: Context) -> Outcome {
///         while let Some(number) = self.inbox.recv().await {
///             self.outbox.send(number * self.factor).await?;
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Ending
/// A component has a `control` and a `signal` box, whether it names them among its fields or not.
///
/// *Without* a field `control` the rule of the house holds: after a
/// [`ProducerFinished`](Signal::ProducerFinished) the inboxes give what was sent before it, and then `None`; after a
/// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) they give `None` at once, and a send that waits for room fails.
/// Other signals are told by [`Context::notice`]. *With* that field nothing happens by itself: the body reads it,
/// best by [`Inbox::recv_or`].
///
/// When the body has ended, its end is passed on by `signal`, unless the body has done so: the order to end at once if
/// that came, and otherwise a [`ProducerFinished`](Signal::ProducerFinished), with the failure if it failed or
/// panicked. Then its links go. It ends alone: nothing else is hurt.
pub trait Component: Boxes + Send + 'static {
    /// The body.
    ///
    /// # Errors
    /// Whatever went wrong: it is told by `signal`, by the [`End`](crate::End) and in the log. The error of a send that
    /// was told to stop counts as such an end, and not as a failure.
    fn main(self, context: Context) -> impl Future<Output = Outcome> + Send;
}

/// The boxes of a component, by name: `#[derive(Boxes)]` on a struct whose fields are [`Inbox`]es and [`Outbox`]es.
pub trait Boxes {
    /// Lists them.
    fn boxes(&self, list: &mut BoxList);

    /// What it is called: the name of the type, without path and parameters. A number is added to it.
    fn name(&self) -> Cow<'static, str> {
        short_name(std::any::type_name::<Self>()).into()
    }

    /// What it will start as children, by name, for the check before it runs.
    #[doc(hidden)]
    fn children(&self, list: &mut ChildList) {
        let _ = list;
    }
}

/// The components that one will start.
#[doc(hidden)]
#[derive(Default)]
pub struct ChildList(pub(crate) Vec<Shape>);

impl fmt::Debug for ChildList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|shape| &shape.name)).finish()
    }
}

/// What is known of a component before it runs.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    /// Its boxes, by name.
    pub(crate) boxes: Vec<(Cow<'static, str>, Arc<dyn AnyNode>)>,
    pub(crate) control: Arc<Node<Signal>>,
    pub(crate) children: Vec<Shape>,
}

/// The last part of a type's path, without parameters.
pub(crate) fn short_name(path: &'static str) -> &'static str {
    let path = path.split('<').next().unwrap_or(path);
    let closure = path.trim_end_matches("::{{closure}}");
    closure.rsplit("::").next().unwrap_or(closure)
}

/// A component with a main `inbox`: what stands on the right in a pipeline.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no main inbox",
    label = "a component with an `inbox` is needed here",
    note = "`map`, `for_each` and `from_fn` make components with an inbox; `#[derive(Boxes)]` sees a field `inbox`",
    note = "what a server makes for each connection has an inbox and an outbox of `Bytes`"
)]
pub trait HasInbox {
    /// The type of its messages.
    type In: Send + 'static;
    /// The box.
    fn inbox(&self) -> &Inbox<Self::In>;
}

/// A component with a main `outbox`: what stands on the left in a pipeline.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no main outbox",
    label = "a component with an `outbox` is needed here",
    note = "`map`, `from_iter` and `from_fn` make components with an outbox; `#[derive(Boxes)]` sees a field `outbox`",
    note = "what a server makes for each connection has an inbox and an outbox of `Bytes`"
)]
pub trait HasOutbox {
    /// The type of its messages.
    type Out: Send + 'static;
    /// The box.
    fn outbox(&self) -> &Outbox<Self::Out>;
}

/// The boxes of a component, with names and documentation: what [`Boxes::boxes`] fills.
#[derive(Default)]
pub struct BoxList(pub(crate) Vec<Entry>);

pub(crate) struct Entry {
    pub(crate) name: Cow<'static, str>,
    pub(crate) documentation: Cow<'static, str>,
    pub(crate) node: Arc<dyn AnyNode>,
}

impl BoxList {
    /// Adds an inbox.
    pub fn inbox<T: Send + 'static>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        documentation: impl Into<Cow<'static, str>>,
        inbox: &Inbox<T>,
    ) {
        self.add(name.into(), documentation.into(), Arc::clone(&inbox.node) as _);
    }

    /// Adds an outbox.
    pub fn outbox<T: Send + 'static>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        documentation: impl Into<Cow<'static, str>>,
        outbox: &Outbox<T>,
    ) {
        self.add(name.into(), documentation.into(), Arc::clone(&outbox.node) as _);
    }

    fn add(&mut self, name: Cow<'static, str>, documentation: Cow<'static, str>, node: Arc<dyn AnyNode>) {
        self.0.push(Entry {
            name,
            documentation,
            node,
        });
    }

    fn find(&self, direction: Direction, name: &str) -> Option<&Entry> {
        self.0
            .iter()
            .find(|entry| entry.node.direction() == direction && entry.name == name)
    }
}

impl fmt::Debug for BoxList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Entry::describe)).finish()
    }
}

impl Entry {
    /// `inbox control: Signal`
    pub(crate) fn describe(&self) -> String {
        let kind = self.node.direction().word();
        format!("{kind} {}: {}", self.name, self.node.type_name())
    }
}

pub(crate) type Start = Box<dyn FnOnce(Context) -> Body + Send>;
pub(crate) type Body = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A component that is ready to be run, with its boxes known and its type forgotten.
pub(crate) struct Prepared {
    pub(crate) name: Cow<'static, str>,
    pub(crate) boxes: Vec<Entry>,
    pub(crate) control: Arc<Node<Signal>>,
    pub(crate) signal: Arc<Node<Signal>>,
    /// Listens at `control`, if the component does not do so itself.
    pub(crate) automatic: Option<Ear>,
    pub(crate) start: Start,
    children: Vec<Shape>,
}

impl Prepared {
    pub(crate) fn new<C: Component>(component: C) -> Self {
        let mut list = BoxList::default();
        component.boxes(&mut list);
        let signals = |list: &BoxList, direction, name| -> Option<Arc<Node<Signal>>> {
            let node = Arc::clone(&list.find(direction, name)?.node);
            node.as_any().downcast().ok()
        };
        let (control, automatic) = match signals(&list, Direction::In, "control") {
            Some(control) => (control, None),
            None => {
                let ear = Ear::new();
                let control = Arc::clone(ear.control());
                list.add(
                    "control".into(),
                    "Tells the component to end.".into(),
                    Arc::clone(&control) as _,
                );
                (control, Some(ear))
            }
        };
        let signal = signals(&list, Direction::Out, "signal").unwrap_or_else(|| {
            let signal = Node::new(Direction::Out, crate::BoxOptions::default(), false);
            list.add(
                "signal".into(),
                "Tells how the component ended.".into(),
                Arc::clone(&signal) as _,
            );
            signal
        });
        let mut children = ChildList::default();
        component.children(&mut children);
        Self {
            name: component.name(),
            children: children.0,
            boxes: list.0,
            control,
            signal,
            automatic,
            start: Box::new(|context| Box::pin(component.main(context))),
        }
    }

    pub(crate) fn shape(&self, name: &str) -> Shape {
        let boxes = self
            .boxes
            .iter()
            .map(|entry| (entry.name.clone(), Arc::clone(&entry.node)));
        Shape {
            name: name.to_owned(),
            boxes: boxes.collect(),
            control: Arc::clone(&self.control),
            children: self.children.clone(),
        }
    }

    /// A box by its name.
    ///
    /// # Errors
    /// [`LinkError::NoSuchBox`], with those that exist.
    pub(crate) fn find(&self, called: &str, direction: Direction, name: &str) -> Result<Arc<dyn AnyNode>, LinkError> {
        let entry = self
            .boxes
            .iter()
            .find(|entry| entry.node.direction() == direction && entry.name == name);
        match entry {
            Some(entry) => Ok(Arc::clone(&entry.node)),
            None => Err(LinkError::NoSuchBox {
                component: called.to_owned(),
                name: name.to_owned(),
                existing: self.boxes.iter().map(Entry::describe).collect(),
            }),
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let boxes: Vec<_> = self.boxes.iter().map(Entry::describe).collect();
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("boxes", &boxes)
            .finish()
    }
}
