//! What the tests share: a log of what happened, in the words of the SimPy scenarios in `tests/simpy`.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use sim_io::{Environment, Timeout};

/// A log that processes write and the test reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn say(&self, what: impl Display) {
        self.0.borrow_mut().push(what.to_string());
    }

    #[track_caller]
    pub(crate) fn expect(&self, simpy: &str) {
        assert_eq!(self.0.borrow().join(" | "), simpy);
    }
}

/// SimPy's units of time are seconds here.
pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) trait Units {
    fn wait(&self, units: u64) -> Timeout;
    fn time(&self) -> u64;
}

impl Units for Environment {
    fn wait(&self, units: u64) -> Timeout {
        self.timeout(seconds(units))
    }

    fn time(&self) -> u64 {
        self.now().as_nanos() / 1_000_000_000
    }
}

pub(crate) fn world() -> (Environment, Log) {
    (Environment::new(), Log::default())
}

/// A process with clones of what it uses: `process!(env, log; { … })`.
#[macro_export]
macro_rules! process {
    ($env:ident $(, $clone:ident)* ; $body:block) => {{
        let process_env = $env.clone();
        $(let $clone = $clone.clone();)*
        $env.process({
            let $env = process_env;
            async move {
                let _ = &$env;
                $body
            }
        })
    }};
}
