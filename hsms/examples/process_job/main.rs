//! An equipment with a process job, and a host that runs it.
//!
//! ```text
//! cargo run -p hsms --all-features --example process_job                   on the system's sockets, in a few seconds
//! cargo run -p hsms --all-features --example process_job -- --simulated    the same on a simulated network, an hour at once
//! ```
//!
//! `equipment.rs` and `host.rs` know nothing of which network they are on.

mod equipment;
mod host;

use host::{Order, Outcome};
use hsms::{ConnectionOptions, Endpoint, Net, PassiveConnection};
use sim_io::network::Network;
use sim_io::{Environment, Failure};

async fn factory(there: Net, here: Net, at: Endpoint, order: Order<'static>) -> Outcome<()> {
    let etcher = PassiveConnection::new(&there, at, ConnectionOptions::new(0), equipment::etcher());
    let at = etcher.enable().await?;
    println!("the etcher listens on {at}");
    let (record, processed) = host::run(&here, at, &order).await?;
    for event in record {
        let what = match event.ceid {
            equipment::STARTED => "started",
            equipment::WAFER_DONE => "wafer done",
            equipment::DONE => "done",
            equipment::ABORTED => "aborted",
            _ => "something",
        };
        println!(
            "{:9.3} s  {} {} {what}",
            event.after.as_secs_f64(),
            event.lot,
            event.wafer
        );
    }
    println!("{processed} wafers processed");
    etcher.stop().await;
    Ok(())
}

fn main() -> Outcome<()> {
    let mut order = Order {
        lot: "LOT7",
        steps: &[1],
        wafers: 3,
        abort_after: None,
    };
    if std::env::args().any(|argument| argument == "--simulated") {
        (order.steps, order.wafers) = (&[90, 30, 60], 20);
        let env = Environment::new();
        let network = Network::new(&env);
        let (there, here) = (network.host("etcher")?.net(), network.host("host")?.net());
        let at = "tcp://etcher:5000".parse()?;
        let run = env.try_process(async {
            factory(there, here, at, order)
                .await
                .map_err(|error| Failure::boxed(error))
        });
        return env.run_until(&run).map_err(|error| error.to_string().into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { factory(Net::os(), Net::os(), "tcp://127.0.0.1:0".parse()?, order).await })
}
