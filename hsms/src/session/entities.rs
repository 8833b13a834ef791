//! What can be selected, and who has it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::Header;
use crate::lock::lock;

/// The session entities that one end offers, and which of them are selected now. Clones are the same set: the sessions of
/// several connections share one, so that no two select the same entity.
///
/// HSMS-SS has one entity, [`Header::CONTROL`]; those of HSMS-GS have the session ids of their data.
///
/// ```
/// use hsms::session::Entities;
///
/// let equipment = Entities::general([1, 2, 3]);
/// assert!(equipment.offers(2) && !equipment.offers(0xFFFF));
/// ```
#[derive(Clone, Debug)]
pub struct Entities(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    offered: BTreeSet<u16>,
    held: Mutex<BTreeSet<u16>>,
}

impl Entities {
    /// HSMS-SS: one session.
    #[must_use]
    pub fn single() -> Self {
        Self::of(BTreeSet::from([Header::CONTROL]))
    }

    /// HSMS-GS: these entities.
    #[must_use]
    pub fn general(ids: impl IntoIterator<Item = u16>) -> Self {
        Self::of(ids.into_iter().filter(|id| *id != Header::CONTROL).collect())
    }

    /// Both: the first Select of a connection decides which it is.
    #[must_use]
    pub fn either(ids: impl IntoIterator<Item = u16>) -> Self {
        Self::of(ids.into_iter().chain([Header::CONTROL]).collect())
    }

    /// One session, which another connection has for ever.
    pub(crate) fn taken() -> Self {
        let taken = Self::single();
        lock(&taken.0.held).insert(Header::CONTROL);
        taken
    }

    fn of(offered: BTreeSet<u16>) -> Self {
        let held = Mutex::default();
        Self(Arc::new(Shared { offered, held }))
    }

    /// Whether there is such an entity.
    #[must_use]
    pub fn offers(&self, id: u16) -> bool {
        self.0.offered.contains(&id)
    }

    /// Whether some connection has selected it.
    #[must_use]
    pub fn is_selected(&self, id: u16) -> bool {
        lock(&self.0.held).contains(&id)
    }

    /// All of them, in order.
    pub fn ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.offered.iter().copied()
    }

    pub(super) fn claim(&self, id: u16) -> Result<Claim, Unclaimed> {
        if !self.offers(id) {
            return Err(Unclaimed::Unknown);
        }
        if !lock(&self.0.held).insert(id) {
            return Err(Unclaimed::InUse);
        }
        Ok(Claim {
            entities: self.clone(),
            id,
        })
    }
}

/// Why an entity can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclaimed {
    Unknown,
    InUse,
}

/// An entity that is selected, until this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    entities: Entities,
    pub(super) id: u16,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.entities.0.held).remove(&self.id);
    }
}
