//! Components wired in any way, by name.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Children, Happened, OnFailure};
use crate::boxes::{AnyNode, Direction};
use crate::component::{BoxList, Boxes, ChildList, Component, Entry, Outcome, Prepared};
use crate::{BoxOptions, Context, Inbox, LinkError, Outbox, Signal};

/// Components wired in any way, by name. What a name means is checked when it is linked; the error lists what there is.
///
/// `self` (or nothing) before the dot is the graphline itself: as a source its inbox is passed through to a child's, as a
/// destination a child's outbox to its own. Its boxes are made as they are named, each for the type of the box that it
/// meets.
///
/// ```
/// use components::{Graphline, Net, System, for_each, from_iter, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graphline::new();
/// graph.add("NUMBERS", from_iter(1..=3_u32))?;
/// graph.add("DOUBLE", map(|n: u32| n * 2))?;
/// graph.add("SHOW", for_each(|n: u32| println!("{n}")))?;
/// graph.link("NUMBERS.outbox", "DOUBLE.inbox")?.link("NUMBERS.signal", "DOUBLE.control")?;
/// graph.link("DOUBLE.outbox", "SHOW.inbox")?.link("DOUBLE.signal", "SHOW.control")?;
/// let typo = graph.link("DOUBLE.outbocks", "SHOW.inbox").unwrap_err();
/// assert!(typo.to_string().starts_with(r#"DOUBLE has no box "outbocks"; it has inbox inbox: u32"#));
/// System::new(&Net::os()).activate(graph)?.await;
/// # Ok(()) }
/// ```
///
/// # Ending
/// It ends when all its children have ended. Who is told what depends on what is linked inside:
///
/// | own `control` linked | own `signal` linked | arrives at `control` | goes to | at the end, on `signal` |
/// |---|---|---|---|---|
/// | no | no | a `ShutdownMicroprocess` | every child with nothing linked to *its* control | the same |
/// | no | no | anything else, or nothing | the same children | a new `ProducerFinished` |
/// | no | yes | anything | the same children | what the child sends |
/// | yes | no | anything | the linked child | a new `ProducerFinished` |
/// | yes | yes | anything | the linked child | what the child sends |
pub struct Graphline {
    name: Cow<'static, str>,
    children: Vec<(String, Prepared)>,
    own: Vec<Own>,
    control: Inbox<Signal>,
    signal: Outbox<Signal>,
    policy: OnFailure,
}

/// A box that was made as it was named; its handle keeps it open.
struct Own {
    entry: Entry,
    handle: Box<dyn Any + Send + Sync>,
}

impl Default for Graphline {
    fn default() -> Self {
        Self::new()
    }
}

impl Graphline {
    /// No components yet. One without any ends at once.
    pub fn new() -> Self {
        Self {
            name: "Graphline".into(),
            children: Vec::new(),
            own: Vec::new(),
            control: Inbox::new(),
            signal: Outbox::new(),
            policy: OnFailure::default(),
        }
    }

    /// Adds a component under a name.
    ///
    /// # Errors
    /// [`LinkError::NameTaken`], and [`LinkError::NotAName`] for `self`, for nothing, and for a name with a dot.
    pub fn add(&mut self, name: &str, component: impl Component) -> Result<&mut Self, LinkError> {
        if name.is_empty() || name == "self" || name.contains('.') {
            return Err(LinkError::NotAName(name.to_owned()));
        }
        if self.children.iter().any(|(known, _)| known == name) {
            return Err(LinkError::NameTaken(name.to_owned()));
        }
        self.children.push((name.to_owned(), Prepared::new(component)));
        Ok(self)
    }

    /// Links two boxes: `link("A.outbox", "B.inbox")`.
    ///
    /// # Errors
    /// What does not exist, with what does; boxes of different types; a box that is linked already.
    pub fn link(&mut self, from: &str, to: &str) -> Result<&mut Self, LinkError> {
        let known = self.own.len();
        if let Err(error) = self.try_link(from, to) {
            let children = self.children.iter().map(|(name, child)| (name.as_str(), child));
            let error = super::in_names_of(error, children).renamed(|text| self.own_name(text));
            // A box of its own that was made for this link.
            self.own.truncate(known);
            return Err(error);
        }
        Ok(self)
    }

    fn try_link(&mut self, from: &str, to: &str) -> Result<(), LinkError> {
        let (source, target) = (split(from)?, split(to)?);
        match (source.0, target.0) {
            (None, None) => return Err(LinkError::BothOwn(from.to_owned(), to.to_owned())),
            (None, Some(child)) => {
                let inner = self.child(child)?.find(child, Direction::In, target.1)?;
                let own = self.own_box(Direction::In, source.1, &inner)?;
                super::wire(&own, &inner)?;
            }
            (Some(child), None) => {
                let inner = self.child(child)?.find(child, Direction::Out, source.1)?;
                let own = self.own_box(Direction::Out, target.1, &inner)?;
                super::wire(&inner, &own)?;
            }
            (Some(child), Some(other)) => {
                let out = self.child(child)?.find(child, Direction::Out, source.1)?;
                let inbox = self.child(other)?.find(other, Direction::In, target.1)?;
                super::wire(&out, &inbox)?;
            }
        }
        Ok(())
    }

    /// What one of its own boxes is called, if this is one.
    fn own_name(&self, path: &str) -> Option<String> {
        if self.control.node.path() == path {
            return Some("self.control".to_owned());
        }
        if self.signal.node.path() == path {
            return Some("self.signal".to_owned());
        }
        let own = self.own.iter().find(|own| own.entry.node.box_path() == path)?;
        Some(format!("self.{}", own.entry.name))
    }

    /// Sets size and policy of a child's inbox: `with_box("A.inbox", …)`.
    ///
    /// # Errors
    /// What does not exist, with what does.
    pub fn with_box(&mut self, inbox: &str, options: BoxOptions) -> Result<&mut Self, LinkError> {
        let (Some(child), name) = split(inbox)? else {
            return Err(LinkError::NotAName(inbox.to_owned()));
        };
        self.child(child)?
            .find(child, Direction::In, name)?
            .set_options(options);
        Ok(self)
    }

    /// Sets what happens when a component fails. Default: [`OnFailure::Never`].
    pub fn on_failure(&mut self, policy: OnFailure) -> &mut Self {
        self.policy = policy;
        self
    }

    /// Names it. Default: `Graphline`.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// One of its own inboxes that was linked, for wiring the graphline to others by type; `None` if there is none of that
    /// name and type.
    pub fn own_inbox<T: Send + 'static>(&self, name: &str) -> Option<&Inbox<T>> {
        self.handle(Direction::In, name)?.downcast_ref()
    }

    /// One of its own outboxes that was linked.
    pub fn own_outbox<T: Send + 'static>(&self, name: &str) -> Option<&Outbox<T>> {
        self.handle(Direction::Out, name)?.downcast_ref()
    }

    fn handle(&self, direction: Direction, name: &str) -> Option<&(dyn Any + Send + Sync)> {
        let fits = |own: &&Own| own.entry.node.direction() == direction && own.entry.name == name;
        self.own.iter().find(fits).map(|own| own.handle.as_ref())
    }

    fn child(&self, name: &str) -> Result<&Prepared, LinkError> {
        match self.children.iter().find(|(known, _)| known == name) {
            Some((_, child)) => Ok(child),
            None => Err(LinkError::NoSuchComponent {
                name: name.to_owned(),
                existing: self
                    .children
                    .iter()
                    .map(|(name, _)| name.clone())
                    .chain(["self".to_owned()])
                    .collect(),
            }),
        }
    }

    /// Its own box of that name; made like `inner` if there is none.
    fn own_box(
        &mut self,
        direction: Direction,
        name: &str,
        inner: &Arc<dyn AnyNode>,
    ) -> Result<Arc<dyn AnyNode>, LinkError> {
        match (direction, name) {
            (Direction::In, "control") => return Ok(Arc::clone(&self.control.node) as _),
            (Direction::Out, "signal") => return Ok(Arc::clone(&self.signal.node) as _),
            _ => {}
        }
        let known = self
            .own
            .iter()
            .find(|own| own.entry.node.direction() == direction && own.entry.name == name);
        if let Some(own) = known {
            return Ok(Arc::clone(&own.entry.node));
        }
        let (node, handle) = inner.sibling(BoxOptions::default());
        self.own.push(Own {
            entry: Entry {
                name: name.to_owned().into(),
                documentation: inner.documentation(),
                node: Arc::clone(&node),
            },
            handle,
        });
        Ok(node)
    }
}

/// `component.box`; no component for the graphline itself.
fn split(text: &str) -> Result<(Option<&str>, &str), LinkError> {
    match text.rsplit_once('.') {
        Some(("" | "self", name)) if !name.is_empty() => Ok((None, name)),
        Some((component, name)) if !name.is_empty() => Ok((Some(component), name)),
        _ => Err(LinkError::NotAName(text.to_owned())),
    }
}

impl Component for Graphline {
    async fn main(mut self, mut context: Context) -> Outcome {
        let control_linked = self.control.node.is_linked();
        let signal_linked = self.signal.node.has_sources();
        context.say_nothing_at_the_end();
        let children = self.children.drain(..).map(|(_, child)| child);
        let mut children = Children::launch(&context, children, self.policy)?;
        let mut stop = None;
        loop {
            match children.next(Some(&mut self.control)).await {
                Happened::Done => break,
                Happened::Ended(..) => {}
                Happened::Control(signal) => {
                    children.tell_unlinked(&signal);
                    if signal.is_shutdown() {
                        stop = Some(signal);
                    }
                }
            }
        }
        let outcome = children.outcome();
        if !signal_linked {
            let name = Arc::clone(context.name());
            context.signal(match (&outcome, stop) {
                (Err(failure), _) => Signal::failed(name, failure.clone()),
                (Ok(()), Some(stop)) if !control_linked => stop,
                (Ok(()), _) => Signal::finished_by(name),
            });
        }
        outcome
    }
}

impl Boxes for Graphline {
    fn boxes(&self, list: &mut BoxList) {
        for own in &self.own {
            list.0.push(Entry {
                name: own.entry.name.clone(),
                documentation: own.entry.documentation.clone(),
                node: Arc::clone(&own.entry.node),
            });
        }
        list.inbox("control", "Ends the graph.", &self.control);
        list.outbox("signal", "Tells that the graph has ended.", &self.signal);
    }

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn children(&self, list: &mut ChildList) {
        list.0
            .extend(self.children.iter().map(|(name, child)| child.shape(name)));
    }
}

impl fmt::Debug for Graphline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children: Vec<_> = self.children.iter().map(|(name, _)| name).collect();
        f.debug_struct("Graphline")
            .field("children", &children)
            .finish_non_exhaustive()
    }
}
