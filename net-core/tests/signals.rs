//! Signals, sent to this very program: they are caught, told apart, and not lost meanwhile.
#![cfg(all(unix, feature = "signals"))]

use std::process::Command;

use net_core::{Signal, Signals};

fn send(name: &str) {
    let own = std::process::id().to_string();
    let sent = Command::new("kill").args(["-s", name, &own]).status().unwrap();
    assert!(sent.success());
}

/// One test, since a signal reaches all that is in the process.
#[tokio::test]
async fn each_is_caught_and_told_apart() {
    let mut signals = Signals::new().unwrap();
    for (name, signal) in [("INT", Signal::Interrupt), ("TERM", Signal::Terminate)] {
        send(name);
        assert_eq!(signals.next().await, signal);
    }
    let mut others = Signals::new().unwrap();
    send("TERM");
    assert_eq!(others.next().await, Signal::Terminate);
    assert_eq!(
        signals.next().await,
        Signal::Terminate,
        "each who catches them gets them"
    );
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let error = Signals::new().unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
}
