//! What went wrong in a model's code, and where things stand in a model's files.

use std::fmt;
use std::sync::Arc;

/// A place in a file; lines and columns count from 1, and 0 is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named; empty if the model was built in Rust.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// A place in a file.
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        let file = file.into();
        Self { file, line, column }
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        self.file.is_empty() && self.line == 0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.file.is_empty() { "line" } else { &self.file })?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// An error of a guard, an action or a method. It ends that piece of code; the instance and all others go on.
///
/// ```
/// use statechart_bridge::{Fault, Place};
///
/// let fault = Fault::new("no attribute `x`").at(Place::new("server.xml", 12, 7));
/// assert_eq!(fault.to_string(), "server.xml:12:7: no attribute `x`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    message: String,
    place: Place,
}

impl Fault {
    /// A fault that says what is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let place = Place::default();
        Self(Box::new(Inner { message, place }))
    }

    /// The same fault at a place in a file. A place that it has already stays: the innermost says most.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        if self.0.place.is_unknown() {
            self.0.place = place;
        }
        self
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.place.is_unknown() {
            write!(f, "{}: ", self.0.place)?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
