//! A model, and what it is built of.

use std::fmt;
use std::sync::Arc;

use super::class::Class;
use super::compiled::{self, Keys};
use super::{ModelError, Problem, compile};
use crate::{Key, Place};

/// A checked and compiled model: cheap to clone, shared by all that run it.
///
/// ```
/// use statechart_bridge::{Chart, Class, Model, State, Transition};
///
/// let toggle = Chart::new()
///     .state(State::new("off").transition(Transition::on("flip").to("../on")))
///     .state(State::new("on").transition(Transition::on("flip").to("../of")));
/// let error = Model::builder().class(Class::new("Toggle").chart(toggle)).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "class Toggle, transition of /on: target `../of`: no state `of` in /, expected one of off, on"
/// );
/// ```
#[derive(Clone)]
pub struct Model(pub(crate) Arc<compiled::Model>);

impl Model {
    /// A builder without anything.
    pub fn builder() -> ModelBuilder {
        ModelBuilder::default()
    }

    /// The model's name.
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// The public inports.
    pub fn inports(&self) -> &[Arc<str>] {
        &self.0.inports
    }

    /// The public outports.
    pub fn outports(&self) -> &[Arc<str>] {
        &self.0.outports
    }

    /// The names of the classes, in the order in which they were added.
    pub fn classes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.classes.iter().map(|class| &class.name)
    }

    /// The class of which an instance is created at the start.
    pub fn default_class(&self) -> &Arc<str> {
        &self.0.class(self.0.default_class).name
    }

    /// The parameters of the default class's constructor, each with whether it must be given.
    pub fn parameters(&self) -> impl Iterator<Item = (&Arc<str>, bool)> {
        let constructor = self.0.class(self.0.default_class).constructor.as_deref();
        let parameters = constructor.map(|constructor| &constructor.parameters);
        parameters
            .into_iter()
            .flatten()
            .map(|(name, default)| (name, default.is_none()))
    }

    /// Whether a transition of any class waits for events with this name.
    pub fn waits_for(&self, event: &str) -> bool {
        self.0.events.id(event) != compiled::EventId::OTHER
    }

    /// The names of the events that transitions wait for, in alphabetical order; without those that transitions name by
    /// their beginning only.
    pub fn events(&self) -> Vec<&Arc<str>> {
        let mut names: Vec<_> = self.0.events.names.keys().collect();
        names.sort_unstable();
        names
    }

    /// What is doubtful, but allowed.
    pub fn warnings(&self) -> &[Problem] {
        &self.0.warnings
    }
}

/// What computing constants of action code may still take.
#[cfg(feature = "xml")]
#[derive(Clone, Debug)]
pub(crate) struct Folding(pub(crate) crate::script::python::Budget);

#[cfg(feature = "xml")]
impl Default for Folding {
    fn default() -> Self {
        Self(crate::script::python::Budget::of_constants())
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.0.name)
            .field("classes", &self.classes().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Gathers the parts of a model, and checks and compiles them.
#[derive(Debug, Default)]
pub struct ModelBuilder {
    pub(super) name: Arc<str>,
    pub(super) inports: Vec<Arc<str>>,
    pub(super) outports: Vec<Arc<str>>,
    pub(super) classes: Vec<Class>,
    pub(super) keys: Keys,
    pub(super) warnings: Vec<Problem>,
    #[cfg(feature = "xml")]
    pub(crate) folding: Folding,
}

impl ModelBuilder {
    /// The model's name, for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// A public inport: what comes in there goes to all instances.
    #[must_use]
    pub fn inport(mut self, name: impl Into<Arc<str>>) -> Self {
        self.inports.push(name.into());
        self
    }

    /// A public outport.
    #[must_use]
    pub fn outport(mut self, name: impl Into<Arc<str>>) -> Self {
        self.outports.push(name.into());
        self
    }

    /// One more class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.classes.push(class);
        self
    }

    /// A short way to the attribute with this name, for languages that compile code.
    pub fn key(&mut self, attribute: &str) -> Key {
        self.keys.intern(attribute)
    }

    /// Adds to the model's warnings; for readers of files.
    pub fn warn(&mut self, place: Place, part: impl Into<String>, what: impl Into<String>) {
        self.warnings.push(Problem::new(place, part, what));
    }

    /// Checks everything and compiles it.
    ///
    /// # Errors
    /// All that is wrong, each with its place and what was expected.
    pub fn build(self) -> Result<Model, ModelError> {
        compile::model(self).map(|model| Model(Arc::new(model)))
    }
}
