//! Model files: SCCD's XML, with classes in files of their own, and its tests.

pub(crate) mod ast;
mod chart;
mod diagram;
pub(crate) mod error;
mod files;
mod lower;
pub(crate) mod node;
pub(crate) mod scripts;
mod suite;
mod test;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ast::Diagram;
use files::Files;
use node::{Node, Source};
pub use suite::TestReport;

use crate::script::python::Language;
use crate::{Event, Model, ModelError, Place, Problem, Value};

/// A model file, read and compiled: SCCD's XML (its root is `diagram`), or the core of SCXML (its root is `scxml`).
///
/// SCXML's data are attributes that expressions name without `self`; `In("id")` asks for a state.
/// Events come in on `input` (or without a port) with a map of their parameters, `_data` in code; `send` to `#_parent`
/// goes out on `output`, any other `send` and `raise` to the chart itself. A `send` may have a delay, and be cancelled. What
/// is not of the core is refused.
///
/// All elements and attributes of SCCD are known, and all others refused, each with its file, line and column and what
/// was expected. Classes may stand in files of their own (`src`), inside the diagram's folder. Action code is a subset of
/// Python, and runs in a sandbox with a limit for its steps and its memory.
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
    language: Language,
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
            "scxml" => crate::scxml::read(&root),
            name => Err(root.error(format!(
                "element `{name}` is unknown: expected diagram (SCCD) or scxml (SCXML)"
            ))),
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

    /// The arguments for the constructor of the default class from values by name, each with the default that the model
    /// gives it if it isn't named. Values are constants of the action language; what is none is taken as text.
    ///
    /// # Errors
    /// Says which name is unknown or missing, and which there are.
    pub fn arguments<'a>(&self, named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Value>, String> {
        let default = self.model.default_class();
        let class = self.diagram.classes.iter().find(|class| class.name.text == *default);
        let constructor = class.and_then(|class| class.constructor.as_ref());
        let parameters = constructor.map_or(&[][..], |constructor| &constructor.parameters);
        let mut values: Vec<Option<Value>> = vec![None; parameters.len()];
        for (name, text) in named {
            let at = parameters.iter().position(|parameter| *parameter.name.text == *name);
            let Some(place) = at.and_then(|at| values.get_mut(at)) else {
                let known: Vec<&str> = parameters.iter().map(|parameter| &*parameter.name.text).collect();
                let known = error::one_of(&known);
                return Err(format!("class {default} has no parameter `{name}`: expected {known}"));
            };
            let constant = self.language.constant(text, &Place::new("", 1, 1));
            *place = Some(constant.unwrap_or_else(|_| text.into()));
        }
        let missing =
            |(value, parameter): &(&Option<Value>, &ast::Parameter)| value.is_none() && parameter.default.is_none();
        if let Some((_, parameter)) = values.iter().zip(parameters).find(missing) {
            return Err(format!("class {default} needs the parameter `{}`", parameter.name.text));
        }
        // Those behind the last that is given get their defaults by themselves, from attributes too.
        while values.last().is_some_and(Option::is_none) {
            values.pop();
        }
        let complete = values
            .into_iter()
            .zip(parameters)
            .map(|(value, parameter)| match (value, &parameter.default) {
                (Some(value), _) => Ok(value),
                (None, Some(text)) => {
                    let constant = self.language.constant(&text.text, &text.place);
                    constant.map_err(|problem| problem.to_string())
                }
                (None, None) => Ok(Value::Nil),
            });
        complete.collect()
    }

    /// An event from a line such as `port.name(1, "text")`, and how long it waits if the line begins with `+seconds`.
    /// Without a port it goes to the only inport, and if there are none or several, it has none. Parameters are constants
    /// of the action language.
    ///
    /// # Errors
    /// Says what is wrong with the line.
    pub fn event(&self, line: &str) -> Result<(Event, Duration), String> {
        let mut line = line.trim();
        let mut delay = Duration::ZERO;
        if let Some(rest) = line.strip_prefix('+') {
            let (seconds, event) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let parsed = seconds
                .parse()
                .ok()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            delay = parsed.ok_or_else(|| format!("`+{seconds}`: expected a time in seconds, such as +1.5"))?;
            line = event.trim();
        }
        let (name, parameters) = match line.split_once('(') {
            None => (line, Vec::new()),
            Some((name, rest)) => {
                let inner = rest.trim_end().strip_suffix(')');
                let inner = inner.ok_or("expected `)` at the end of the line")?;
                let place = Place::new("", 1, 1);
                let parameters = if inner.trim().is_empty() {
                    Vec::new()
                } else {
                    // A comma behind them makes one a tuple too.
                    let code = format!("({},)", inner.trim().trim_end_matches(','));
                    let values = self.language.constant(&code, &place);
                    let values = values.map_err(|problem| problem.what().to_owned())?;
                    values.items().map(<[Value]>::to_vec).unwrap_or_default()
                };
                (name.trim(), parameters)
            }
        };
        let (port, name) = match name.split_once('.') {
            Some((port, rest)) if self.model.inports().iter().any(|known| **known == *port) => (port, rest),
            Some((port, _)) if self.diagram.scxml.is_none() => {
                let known: Vec<&str> = self.model.inports().iter().map(|port| &**port).collect();
                return Err(format!("no inport `{port}`: expected {}", error::one_of(&known)));
            }
            _ => match self.model.inports() {
                [port] => (&**port, name),
                _ => ("", name),
            },
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("`{line}`: expected port.event or port.event(parameter, …)"));
        }
        Ok((Event::new(name).on(port).with(parameters), delay))
    }

    pub(crate) fn diagram(&self) -> &Diagram {
        &self.diagram
    }

    pub(crate) fn language(&self) -> &Language {
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
