//! How problems of a file are told.

use crate::{Place, Problem};

/// Something is wrong at a place.
pub(crate) fn problem(place: Place, what: impl Into<String>) -> Problem {
    Problem::new(place, "", what)
}

/// `a, b or c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [name] => (*name).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
