//! The semantic options of a chart.

use std::fmt;
use std::str::FromStr;

/// How a chart steps: SCCD's options with SCCD's defaults, and a few more.
///
/// A *big step* handles one event. It is a sequence of *combo steps*, each a sequence of *small steps*; a small step takes
/// one transition, or several with [`Concurrency::Many`]. In a combo step no part of the chart changes twice.
///
/// ```
/// use statechart_bridge::{Priority, Semantics};
///
/// let mut semantics = Semantics::default();
/// semantics.set("priority", "source_child")?;
/// assert_eq!(semantics.priority, Priority::SourceChild);
/// assert!(semantics.set("priority", "loudest").unwrap_err().to_string().contains("expected source_parent"));
/// # Ok::<_, statechart_bridge::UnknownOption>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Semantics {
    /// How many combo steps make a big step.
    pub big_step_maximality: BigStepMaximality,
    /// How often a part of the chart changes in a combo step.
    pub combo_step_maximality: ComboStepMaximality,
    /// How long an event lives that was raised locally.
    pub internal_event_lifeline: InternalEventLifeline,
    /// How long an event lives that came from outside, or out of the queue.
    pub input_event_lifeline: InputEventLifeline,
    /// Which of two transitions wins if one's source is inside the other's.
    pub priority: Priority,
    /// How many transitions make a small step.
    pub concurrency: Concurrency,
}

impl Semantics {
    /// Sets an option by the names that model files use.
    ///
    /// # Errors
    /// Names what was expected.
    pub fn set(&mut self, option: &str, value: &str) -> Result<(), UnknownOption> {
        match option {
            "big_step_maximality" => self.big_step_maximality = value.parse()?,
            "combo_step_maximality" => self.combo_step_maximality = value.parse()?,
            "internal_event_lifeline" => self.internal_event_lifeline = value.parse()?,
            "input_event_lifeline" => self.input_event_lifeline = value.parse()?,
            "priority" => self.priority = value.parse()?,
            "concurrency" => self.concurrency = value.parse()?,
            _ => {
                return Err(UnknownOption {
                    option: "option".to_owned(),
                    value: option.to_owned(),
                    expected: &OPTIONS,
                });
            }
        }
        Ok(())
    }
}

const OPTIONS: [&str; 6] = [
    "big_step_maximality",
    "combo_step_maximality",
    "internal_event_lifeline",
    "input_event_lifeline",
    "priority",
    "concurrency",
];

/// A semantic option or a value for one that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOption {
    option: String,
    value: String,
    expected: &'static [&'static str],
}

impl fmt::Display for UnknownOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            option,
            value,
            expected,
        } = self;
        write!(f, "{option}: `{value}` is unknown, expected {}", expected.join(" or "))
    }
}

impl std::error::Error for UnknownOption {}

macro_rules! option {
    ($(#[$doc:meta])* $name:ident, $option:literal: $($(#[$value_doc:meta])* $value:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $name {
            /// The name of the value in model files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownOption;

            fn from_str(text: &str) -> Result<Self, UnknownOption> {
                match text {
                    $($text => Ok(Self::$value),)*
                    _ => Err(UnknownOption {
                        option: $option.to_owned(),
                        value: text.to_owned(),
                        expected: &[$($text),*],
                    }),
                }
            }
        }
    };
}

option! {
    /// How many combo steps make a big step.
    BigStepMaximality, "big_step_maximality":
    /// As many as something is enabled in.
    #[default]
    TakeMany = "take_many",
    /// One; the rest waits for the next big step, which follows at once.
    TakeOne = "take_one",
    /// As many as something is enabled in, but a part of the chart that has reached a stable state
    /// ([`State::stable`](crate::State::stable)) changes no more.
    Syntactic = "syntactic",
}

option! {
    /// How often a part of the chart changes in a combo step.
    ComboStepMaximality, "combo_step_maximality":
    /// Once: regions take turns.
    #[default]
    TakeOne = "take_one",
    /// As often as something is enabled in it.
    TakeMany = "take_many",
    /// As often as something is enabled in it, until it has reached a stable state
    /// ([`State::stable`](crate::State::stable)).
    Syntactic = "syntactic",
}

option! {
    /// How long an event lives that was raised locally.
    InternalEventLifeline, "internal_event_lifeline":
    /// It waits in the instance's queue, and gets a big step of its own like an input.
    #[default]
    Queue = "queue",
    /// It waits before all that came from outside, and gets a big step of its own (SCXML's way).
    QueueFirst = "queue_first",
    /// It is there in the next small step only, be that in the next combo step.
    NextSmallStep = "next_small_step",
    /// It is there during the whole next combo step.
    NextComboStep = "next_combo_step",
    /// It is there from the next small step to the end of the big step.
    Remainder = "remainder",
}

option! {
    /// How long an event lives that came from outside, or out of the queue.
    InputEventLifeline, "input_event_lifeline":
    /// During the first combo step.
    #[default]
    FirstComboStep = "first_combo_step",
    /// In the first small step only.
    FirstSmallStep = "first_small_step",
    /// During the whole big step.
    Whole = "whole",
}

option! {
    /// Which of two transitions wins if one's source is inside the other's.
    Priority, "priority":
    /// The outer one.
    #[default]
    SourceParent = "source_parent",
    /// The inner one.
    SourceChild = "source_child",
}

option! {
    /// How many transitions make a small step.
    Concurrency, "concurrency":
    /// One.
    #[default]
    Single = "single",
    /// All that are enabled and change different parts of the chart, in document order.
    Many = "many",
}
