//! What is wrong with a model.

use std::fmt;

use crate::Place;

/// One thing that is wrong, or doubtful, in a model: where, what, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(crate) place: Place,
    pub(crate) part: String,
    pub(crate) what: String,
}

impl Problem {
    /// A problem of a part of a model, such as `class Server, state /main`.
    pub fn new(place: Place, part: impl Into<String>, what: impl Into<String>) -> Self {
        let (part, what) = (part.into(), what.into());
        Self { place, part, what }
    }

    /// Where in a file.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Which part of the model.
    pub fn part(&self) -> &str {
        &self.part
    }

    /// What is wrong, and what was expected.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_unknown() {
            write!(f, "{}: ", self.place)?;
        }
        if !self.part.is_empty() {
            write!(f, "{}: ", self.part)?;
        }
        f.write_str(&self.what)
    }
}

/// Why a model can't be built: all that is wrong with it, a line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError(pub(crate) Vec<Problem>);

impl ModelError {
    /// These problems. A reader of files makes one of what it finds.
    pub fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// All that is wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ModelError {}
