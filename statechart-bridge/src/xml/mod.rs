//! Model files: SCCD's XML, with classes in files of their own, and its tests.

pub(crate) mod ast;
mod chart;
mod diagram;
pub(crate) mod error;
mod files;
mod lower;
pub(crate) mod node;
mod suite;
mod test;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ast::Diagram;
use files::Files;
use node::{Node, Source};
pub use suite::TestReport;

use crate::script::starlark::Starlark;
use crate::{Model, ModelError, Problem};

/// A model file in SCCD's XML, read and compiled.
///
/// All elements and attributes of SCCD are known, and all others refused, each with its file, line and column and what
/// was expected. Classes may stand in files of their own (`src`), inside the diagram's folder. Action code is Starlark,
/// and runs in a sandbox with a limit for its steps and its memory.
///
/// ```
/// use statechart_bridge::Document;
///
/// let document = Document::parse(
///     "lamp.xml",
///     r#"<diagram name="lamp">
///          <inport name="switch"/>
///          <class name="Lamp">
///            <attribute name="flips" init-value="0"/>
///            <scxml initial="off">
///              <state id="off">
///                <transition event="flip" port="switch" target="../on"/>
///              </state>
///              <state id="on">
///                <transition event="flip" port="switch" cond="self.flips &lt; 9" target="../off">
///                  <script>self.flips += 1</script>
///                </transition>
///              </state>
///            </scxml>
///          </class>
///        </diagram>"#,
/// )?;
/// assert_eq!(&**document.model().default_class(), "Lamp");
///
/// let error = Document::parse("lamp.xml", "<diagram>\n  <klass/>\n</diagram>").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "lamp.xml:2:3: element `klass` in `diagram` is unknown: expected description, top, inport, outport, class or test"
/// );
/// # Ok::<_, statechart_bridge::ModelError>(())
/// ```
pub struct Document {
    diagram: Diagram,
    model: Model,
    language: Starlark,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// All that is wrong with it, as far as it can be told at once.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let text = files::open(path).map_err(one)?;
        Self::read(files::name(path), &text, Files::beside(path))
    }

    /// Reads text. `file` is its name in messages. Classes in files of their own are refused: a text has no folder.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn parse(file: impl Into<Arc<str>>, text: &str) -> Result<Self, ModelError> {
        Self::read(file.into(), text, Files::none())
    }

    fn read(file: Arc<str>, text: &str, mut files: Files) -> Result<Self, ModelError> {
        let source = Source::new(file, text);
        let document = source.parse().map_err(one)?;
        let root = Node::root(&document, &source);
        let diagram = match root.name() {
            "diagram" if root.namespace().is_none() => diagram::read(&root, &mut files),
            name => Err(root.error(format!("element `{name}` is unknown: expected diagram"))),
        };
        let diagram = diagram.map_err(one)?;
        let (model, language) = lower::model(&diagram)?;
        Ok(Self {
            diagram,
            model,
            language,
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What its `description` says, without the spaces around.
    pub fn description(&self) -> Option<&str> {
        let description = self.diagram.description.as_ref();
        description.map(|text| text.text.trim())
    }

    /// Who wrote it.
    pub fn author(&self) -> Option<&str> {
        self.diagram.author.as_ref().map(|author| &*author.text)
    }

    pub(crate) fn diagram(&self) -> &Diagram {
        &self.diagram
    }

    pub(crate) fn language(&self) -> &Starlark {
        &self.language
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

fn one(problem: Problem) -> ModelError {
    ModelError::new(vec![problem])
}
