//! Runs the tests that stand in a model's file, in virtual time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Document;
use super::ast::{Slot, Test, TestEvent, Text};
use crate::{Engine, Event, Place, Value};

/// A test waits no longer for what it expects, in simulated time: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// And looks no more often whether it came.
const MOST_ROUNDS: usize = 1_000_000;

/// How a test of a model file went.
///
/// A test gives its inputs at their times, and goes on until all that it expects has come, or nothing more will. Each
/// slot is matched by the next outputs on the ports that the test names (of a test that expects nothing: on any port),
/// those of one slot in any order. Outputs that nothing is left for fail it, and so do faults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestReport {
    /// Its name, or its number in the file, counted from 1.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What went wrong; empty if nothing did.
    pub failures: Vec<String>,
    /// What the model printed.
    pub log: Vec<String>,
}

impl TestReport {
    /// Whether nothing went wrong.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for TestReport {
    /// `name: ok`, or `place: name: FAILED` and a line for each thing that went wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.passed() {
            return write!(f, "{}: ok", self.name);
        }
        write!(f, "{}: {}: FAILED", self.place, self.name)?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        Ok(())
    }
}

impl Document {
    /// Runs the tests of the file, each with a new instance of the default class and in virtual time.
    pub fn run_tests(&self) -> Vec<TestReport> {
        let tests = self.diagram().tests.iter().enumerate();
        tests.map(|(number, test)| self.run_test(number, test)).collect()
    }

    fn run_test(&self, number: usize, test: &Test) -> TestReport {
        let name = match &test.name {
            Some(name) => name.text.as_ref().to_owned(),
            None => format!("test {}", number + 1),
        };
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let faults: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut failures = self.drive(test, &log, &faults).err().into_iter().collect::<Vec<_>>();
        failures.append(&mut faults.lock().unwrap_or_else(PoisonError::into_inner));
        let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
        TestReport {
            name,
            place: test.place.clone(),
            failures,
            log,
        }
    }

    fn drive(
        &self,
        test: &Test,
        log: &Arc<Mutex<Vec<String>>>,
        faults: &Arc<Mutex<Vec<String>>>,
    ) -> Result<(), String> {
        let (lines, errors) = (Arc::clone(log), Arc::clone(faults));
        let push = |list: &Mutex<Vec<String>>, text: String| {
            list.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        };
        let mut engine = Engine::builder(self.model())
            .on_log(move |line| push(&lines, line.text.clone()))
            .on_fault(move |fault| push(&errors, fault.to_string()))
            .build()
            .map_err(|fault| fault.to_string())?;
        let mut ports: Vec<&str> = Vec::new();
        for slot in &test.expected {
            for event in &slot.events {
                if !self.model().outports().contains(&event.port.text) {
                    return Err(format!("{}: no outport `{}`", event.port.place, event.port.text));
                }
                ports.push(&event.port.text);
            }
        }
        let outputs = engine.output_queue(&ports);
        let mut expected = Vec::new();
        for slot in &test.expected {
            expected.push((slot, self.slot(slot)?));
        }
        let mut last = Duration::ZERO;
        for input in &test.inputs {
            let event = self.written(&input.event)?;
            let time = Duration::from_millis(input.time);
            last = last.max(time);
            engine
                .input_after(time, event, None)
                .map_err(|error| format!("{}: {error}", input.event.place))?;
        }
        engine.start();
        let mut slots = expected.into_iter();
        let mut slot = slots.next();
        for _ in 0..MOST_ROUNDS {
            while let Some(output) = outputs.try_fetch() {
                let Some((written, waiting)) = &mut slot else {
                    return Err(format!("{output}: nothing more was expected"));
                };
                match waiting.iter().position(|event| *event == output.event) {
                    Some(at) => {
                        waiting.remove(at);
                    }
                    None => {
                        let expected = all(waiting);
                        return Err(format!("{}: expected {expected}, but got {output}", written.place));
                    }
                }
                if waiting.is_empty() {
                    slot = slots.next();
                }
            }
            match engine.next_due() {
                None => break,
                Some(due) if slot.is_none() && due > last => break,
                Some(due) if due > last + LONGEST => break,
                Some(due) => engine.advance_to(due.max(engine.now())),
            }
        }
        match slot {
            None => Ok(()),
            Some((written, waiting)) => Err(format!(
                "{}: expected {}, which never came",
                written.place,
                all(&waiting)
            )),
        }
    }

    fn slot(&self, slot: &Slot) -> Result<Vec<Event>, String> {
        slot.events.iter().map(|event| self.written(event)).collect()
    }

    fn written(&self, written: &TestEvent) -> Result<Event, String> {
        let value = |text: &Text| {
            let value = self.language().constant(&text.text, &text.place);
            value.map_err(|problem| problem.to_string())
        };
        let parameters = written
            .parameters
            .iter()
            .map(value)
            .collect::<Result<Vec<Value>, _>>()?;
        Ok(Event::new(Arc::clone(&written.name.text))
            .on(Arc::clone(&written.port.text))
            .with(parameters))
    }
}

fn all(events: &[Event]) -> String {
    let events: Vec<String> = events.iter().map(ToString::to_string).collect();
    events.join(" and ")
}
