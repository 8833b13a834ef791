//! HTTP, HTTPS and WebSocket on a simulated network: how many round trips in a second of real time.

use crate::Outcome;
use crate::cpu::Spent;
use crate::groups::bulk::Tls;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::target::Bound::AtLeast;
use crate::target::Target;
use crate::web::{Scheme, bare, ours};

/// Round trips of a full sample.
const COUNT: u64 = 100_000;

/// Makes the tables.
///
/// # Errors
/// If the certificate is refused.
pub fn build() -> Outcome<Vec<Comparison>> {
    let tls = Tls::new()?;
    Ok(Scheme::ALL.map(|scheme| table(scheme, &tls)).into())
}

fn table(scheme: Scheme, tls: &Tls) -> Comparison {
    let (name, library, what) = match scheme {
        Scheme::Http => ("http", "hyper", "GET of a page of 4 bytes"),
        Scheme::Https => ("https", "hyper", "GET of a page of 4 bytes over TLS 1.3"),
        Scheme::Ws => ("websocket", "tungstenite", "A text of 4 bytes over WebSocket, echoed"),
        Scheme::Wss => (
            "websocket-tls",
            "tungstenite",
            "A text of 4 bytes over WebSocket and TLS 1.3, echoed",
        ),
    };
    let mut own = row("sim-io", scheme, tls, ours::run);
    if scheme != Scheme::Wss {
        own = own.target(Target::figure(AtLeast(200e3)));
    }
    let name_of_bare = format!("{library} on tokio's duplex pipe, for comparison");
    Comparison {
        name: format!("web/{name}"),
        operation: "round trip",
        measure: Measure::Rate,
        about: format!(
            "{what}, one at a time on one connection, without latency. Both ends on one thread, its own processor time."
        ),
        rows: vec![row(&name_of_bare, scheme, tls, bare::run), own],
    }
}

fn row(name: &str, scheme: Scheme, tls: &Tls, run: fn(Scheme, &Tls, u64) -> Outcome<Spent>) -> Row {
    let tls = tls.clone();
    Row::new(name, move |effort| {
        let count = effort.amount(COUNT);
        Ok(Sample::new(count, run(scheme, &tls, count)?))
    })
}
