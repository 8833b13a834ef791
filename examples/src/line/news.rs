//! What is told on the backplane: all that the host hears and does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

use super::plan::Lot;
use super::tool::ToolEvent;

/// The backplane's name.
pub(crate) const BACKPLANE: &str = "line";

/// A piece of news.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// The tool is there, and says what it is.
    Online(Arc<str>),
    /// The tool is not there any more, and why.
    Offline(Arc<str>),
    /// What the tool reports.
    Event(Arc<ToolEvent>),
    /// An alarm is set, or cleared.
    Alarm(Arc<Alarm>),
    /// A lot has come to the line.
    Waiting(Arc<Lot>),
    /// The controller is in this state.
    State(Arc<str>),
    /// The tool's answer to a command, or why there was none.
    Answer(Arc<Answer>),
    /// An operator wants something of the line.
    Wish(Wish),
    /// The controller has connected, and is to be told how things are: the books fill it.
    Greeting(Arc<Greeting>),
    /// The shift is over: nothing comes after.
    Over,
}

/// How things are where this stands among the news: all before is in it, nothing after.
pub(crate) type Greeting = Mutex<Option<oneshot::Sender<Vec<String>>>>;

/// An alarm of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) at: Duration,
    pub(crate) id: u32,
    pub(crate) set: bool,
    /// Whether nothing can be made meanwhile.
    pub(crate) stops: bool,
    pub(crate) text: String,
}

/// A command to the tool, with the lot that it is about, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) command: &'static str,
    pub(crate) lot: Option<String>,
}

/// What became of an order.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) order: Order,
    /// Why it was not done.
    pub(crate) refused: Option<String>,
}

/// What an operator may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Hold,
    Resume,
}

impl Alarm {
    /// What is the same at both ends; the time is each one's own.
    pub(crate) fn key(&self) -> (u32, bool, &str) {
        (self.id, self.set, &self.text)
    }
}
