//! What a controller tells besides events: faults, lines of logs, the trace.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Event, InstanceId, Place, Value};

/// The event that an instance gets when its code fails: what happened, and where.
pub(crate) const EXECUTION_ERROR: &str = "execution_error";

/// Something that went wrong in an instance, or in what it asked the object manager for. Whoever caused it goes on, and
/// so do all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// When, in simulated time since the start.
    pub time: Duration,
    /// Whose fault it is.
    pub instance: InstanceId,
    /// Its class.
    pub class: Arc<str>,
    /// In which part: `guard of /main/wait`, `request delete_instance`.
    pub part: String,
    /// What happened.
    pub fault: crate::Fault,
}

pub(crate) type Fault = FaultReport;

impl FaultReport {
    pub(crate) fn new(now: u64, instance: InstanceId, class: &Arc<str>, part: &str, fault: crate::Fault) -> Self {
        Self {
            time: Duration::from_millis(now),
            instance,
            class: Arc::clone(class),
            part: part.to_owned(),
            fault,
        }
    }

    /// As the event `execution_error` for the instance itself.
    pub(crate) fn as_event(&self) -> Event {
        let message = Value::from(self.fault.message());
        Event::new(EXECUTION_ERROR).with([message, self.part.as_str().into()])
    }

    /// Where in a file, if that is known.
    pub fn place(&self) -> &Place {
        self.fault.place()
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            instance,
            class,
            part,
            fault,
        } = self;
        write!(f, "{:.3} {class}{instance}, {part}: {fault}", time.as_secs_f64())
    }
}

/// A line that a model's code wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, in simulated time since the start.
    pub time: Duration,
    /// Who wrote it.
    pub instance: InstanceId,
    /// What.
    pub text: String,
}

/// An input that no transition of any instance took, as they were when it came. Usual, where a model waits for an event in
/// some states only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// When, in simulated time since the start.
    pub time: Duration,
    /// The event, with its port.
    pub event: Event,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, event } = self;
        write!(f, "{:.3} {event}: no transition took it", time.as_secs_f64())
    }
}

/// One entry of a trace. Shown, it is a line.
///
/// ```text
/// 1.000 Lamp#1   fired   /off --flip-->
/// 1.000 Lamp#1   exited  /off
/// 1.000 Lamp#1   entered /on
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When, in simulated time since the start.
    pub time: Duration,
    /// Which instance.
    pub instance: InstanceId,
    /// Its class.
    pub class: Arc<str>,
    /// What it did.
    pub what: Traced,
}

/// What an instance did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Traced {
    /// It was created.
    Created,
    /// It was started.
    Started,
    /// It was deleted.
    Deleted,
    /// A transition of this state was taken.
    Fired {
        /// The path of the state.
        source: String,
        /// The event with its parameters; `after` for a timer, empty for a spontaneous transition.
        event: String,
    },
    /// It left the state with this path.
    Exited(String),
    /// It entered the state with this path.
    Entered(String),
    /// It raised an event on an outport.
    Output(Event),
    /// It asked the object manager for something.
    Request(Event),
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = format!("{}{}", self.class, self.instance);
        write!(f, "{:.3} {who:<12} ", self.time.as_secs_f64())?;
        match &self.what {
            Traced::Created => f.write_str("created"),
            Traced::Started => f.write_str("started"),
            Traced::Deleted => f.write_str("deleted"),
            Traced::Fired { source, event } if event.is_empty() => write!(f, "fired   {source} -->"),
            Traced::Fired { source, event } => write!(f, "fired   {source} --{event}-->"),
            Traced::Exited(state) => write!(f, "exited  {state}"),
            Traced::Entered(state) => write!(f, "entered {state}"),
            Traced::Output(event) => write!(f, "output  {event}"),
            Traced::Request(event) => write!(f, "asked   {event}"),
        }
    }
}

type Hear<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// Who hears of what.
#[derive(Clone, Default)]
pub(crate) struct Reports {
    pub(crate) faults: Vec<Hear<FaultReport>>,
    pub(crate) logs: Vec<Hear<LogLine>>,
    pub(crate) traces: Vec<Hear<Trace>>,
    pub(crate) ignored: Vec<Hear<Ignored>>,
}

impl Reports {
    #[inline]
    pub(crate) fn traces(&self) -> bool {
        !self.traces.is_empty()
    }

    #[cold]
    pub(crate) fn fault(&self, report: FaultReport) {
        log_warn!(%report, "fault");
        hear(&self.faults, &report);
    }

    #[inline]
    pub(crate) fn tells_ignored(&self) -> bool {
        !self.ignored.is_empty()
    }

    pub(crate) fn ignored(&self, now: u64, event: Event) {
        let time = Duration::from_millis(now);
        hear(&self.ignored, &Ignored { time, event });
    }

    pub(crate) fn log(&self, now: u64, instance: InstanceId, text: String) {
        log_info!(%instance, text, "log");
        let time = Duration::from_millis(now);
        hear(&self.logs, &LogLine { time, instance, text });
    }

    pub(crate) fn trace(&self, now: u64, instance: InstanceId, class: &Arc<str>, what: Traced) {
        let entry = Trace {
            time: Duration::from_millis(now),
            instance,
            class: Arc::clone(class),
            what,
        };
        hear(&self.traces, &entry);
    }

    pub(crate) fn trace_state(&self, now: u64, id: InstanceId, class: &Arc<str>, path: String, entered: bool) {
        let what = if entered {
            Traced::Entered(path)
        } else {
            Traced::Exited(path)
        };
        self.trace(now, id, class, what);
    }

    pub(crate) fn trace_fired(&self, now: u64, id: InstanceId, class: &Arc<str>, source: String, event: String) {
        self.trace(now, id, class, Traced::Fired { source, event });
    }
}

/// Tells all; who panics hurts itself only.
fn hear<T>(all: &[Hear<T>], what: &T) {
    for one in all {
        if net_core::catch_panic_in(|| one(what)).is_err() {
            log_warn!("a listener panicked");
        }
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports")
            .field("faults", &self.faults.len())
            .field("logs", &self.logs.len())
            .field("traces", &self.traces.len())
            .field("ignored", &self.ignored.len())
            .finish()
    }
}
