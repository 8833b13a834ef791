//! Which boxes that were made at run time belong to which resource: what Axon's adaptive components keep.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::Direction;
use crate::owner::Owner;

/// What a component knows of the things that it has made boxes for: which inbox belongs to which of them, and anything else.
///
/// Made by [`Context::resources`](crate::Context::resources). A resource is whatever tells one from another: a number, a
/// connection's name.
///
/// ```
/// use components::{BoxOptions, Context, Outcome};
///
/// async fn body(context: Context) -> Outcome {
///     let inbox = context.add_inbox::<String>("client", BoxOptions::new());
///     let mut clients = context.resources();
///     clients.track(7, &inbox.name())?;
///     clients.track_information(7, [&*inbox.name()], [], "the seventh one")?;
///     assert_eq!(clients.retrieve("client")?, &7);
///     assert_eq!(clients.retrieve_information(&7)?.information, "the seventh one");
///     clients.cease(&7)?;
///     Ok(())
/// }
/// ```
pub struct Resources<R, I = ()> {
    owner: Arc<Owner>,
    by_inbox: BTreeMap<String, R>,
    information: BTreeMap<R, Tracked<I>>,
}

/// What is known of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracked<I> {
    /// The inboxes that belong to it.
    pub inboxes: Vec<String>,
    /// The outboxes that belong to it.
    pub outboxes: Vec<String>,
    /// Anything else.
    pub information: I,
}

/// What can go wrong with [`Resources`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackingError {
    /// The component has no such box.
    NoSuchBox {
        /// What was asked for, as `inbox name`.
        asked: String,
        /// The boxes that exist.
        existing: Vec<String>,
    },
    /// No resource belongs to the inbox.
    NothingTracked(String),
    /// Nothing is known of the resource.
    UnknownResource,
}

impl fmt::Display for TrackingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBox { asked, existing } => {
                write!(f, "there is no {asked}; there is {}", existing.join(", "))
            }
            Self::NothingTracked(inbox) => write!(f, "no resource is tracked by the inbox {inbox:?}"),
            Self::UnknownResource => f.write_str("the resource is not tracked (any more)"),
        }
    }
}

impl std::error::Error for TrackingError {}

impl<R: Ord, I> Resources<R, I> {
    pub(crate) fn new(owner: &Arc<Owner>) -> Self {
        Self {
            owner: Arc::clone(owner),
            by_inbox: BTreeMap::new(),
            information: BTreeMap::new(),
        }
    }

    /// Says that an inbox belongs to a resource; one that belonged to another does so no more. Axon's `trackResource`.
    ///
    /// # Errors
    /// [`TrackingError::NoSuchBox`].
    pub fn track(&mut self, resource: R, inbox: &str) -> Result<(), TrackingError> {
        self.exists(Direction::In, inbox)?;
        self.by_inbox.insert(inbox.to_owned(), resource);
        Ok(())
    }

    /// The resource that an inbox belongs to. Axon's `retrieveTrackedResource`.
    ///
    /// # Errors
    /// [`TrackingError::NothingTracked`].
    pub fn retrieve(&self, inbox: &str) -> Result<&R, TrackingError> {
        let resource = self.by_inbox.get(inbox);
        resource.ok_or_else(|| TrackingError::NothingTracked(inbox.to_owned()))
    }

    /// Keeps the names of boxes and anything else for a resource, in place of what was kept before. Axon's
    /// `trackResourceInformation`.
    ///
    /// # Errors
    /// [`TrackingError::NoSuchBox`]; nothing has changed then.
    pub fn track_information<'a>(
        &mut self,
        resource: R,
        inboxes: impl IntoIterator<Item = &'a str>,
        outboxes: impl IntoIterator<Item = &'a str>,
        information: I,
    ) -> Result<(), TrackingError> {
        let names = |direction, names: &mut dyn Iterator<Item = &'a str>| {
            let known = |name: &'a str| self.exists(direction, name).map(|()| name.to_owned());
            names.map(known).collect::<Result<Vec<_>, _>>()
        };
        let tracked = Tracked {
            inboxes: names(Direction::In, &mut inboxes.into_iter())?,
            outboxes: names(Direction::Out, &mut outboxes.into_iter())?,
            information,
        };
        self.information.insert(resource, tracked);
        Ok(())
    }

    /// What is kept for a resource. Axon's `retrieveTrackedResourceInformation`.
    ///
    /// # Errors
    /// [`TrackingError::UnknownResource`].
    pub fn retrieve_information(&self, resource: &R) -> Result<&Tracked<I>, TrackingError> {
        self.information.get(resource).ok_or(TrackingError::UnknownResource)
    }

    /// Forgets a resource, and gives back what was kept for it, if anything was. Its boxes stay. Axon's
    /// `ceaseTrackingResource`.
    ///
    /// # Errors
    /// [`TrackingError::UnknownResource`].
    pub fn cease(&mut self, resource: &R) -> Result<Option<Tracked<I>>, TrackingError> {
        let before = self.by_inbox.len();
        self.by_inbox.retain(|_, of| of != resource);
        let tracked = self.information.remove(resource);
        if tracked.is_none() && self.by_inbox.len() == before {
            return Err(TrackingError::UnknownResource);
        }
        Ok(tracked)
    }

    /// The resources of which something is kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&R, &Tracked<I>)> {
        self.information.iter()
    }

    fn exists(&self, direction: Direction, name: &str) -> Result<(), TrackingError> {
        let boxes = self.owner.boxes();
        if boxes
            .iter()
            .any(|node| node.direction() == direction && node.box_name() == name)
        {
            return Ok(());
        }
        Err(TrackingError::NoSuchBox {
            asked: format!("{} {name}", direction.word()),
            existing: boxes
                .iter()
                .map(|node| format!("{} {}", node.direction().word(), node.box_name()))
                .collect(),
        })
    }
}

impl<R: fmt::Debug, I: fmt::Debug> fmt::Debug for Resources<R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("by_inbox", &self.by_inbox)
            .field("information", &self.information)
            .finish_non_exhaustive()
    }
}
