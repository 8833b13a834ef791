//! What connections log: each in a span of its own.
#![cfg(feature = "cli")]

#[path = "rig/mod.rs"]
mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{Echo, S1F1, pair, patient};
use hsms::Net;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_connection_logs_in_a_span_that_tells_which_one_it_is() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("hsms=debug")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let net = Net::os();
    let (passive, active) = pair(&net, &patient(), Echo).await;
    active.request(S1F1, "").await.unwrap();
    active.stop().await;
    passive.stop().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for role in ["active", "passive"] {
        let span = format!("session{{role=\"{role}\" session_id=0 peer=tcp://127.0.0.1:");
        let within = |what: &str| text.lines().any(|line| line.contains(&span) && line.contains(what));
        assert!(within("Selected") && within("Disconnected"), "{role}: {text}");
    }
}
