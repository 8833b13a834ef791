//! The example `process_job`, whose job takes hours: on a simulated network, and with jumping time on the others.
#![cfg(feature = "gem")]

#[path = "rig/mod.rs"]
mod common;
#[path = "../examples/process_job/equipment.rs"]
mod equipment;
#[path = "../examples/process_job/host.rs"]
mod host;

use std::time::Duration;

use common::backend::{net, where_time_jumps};
use common::tcp;
use equipment::{ABORTED, DONE, STARTED, WAFER_DONE};
use host::Order;
use hsms::{ConnectionOptions, PassiveConnection};

where_time_jumps!(a_job_of_hours, a_job_that_is_aborted);

async fn run(order: &Order<'_>) -> (Vec<(u32, u32)>, Duration, u32) {
    let net = net();
    let etcher = PassiveConnection::new(&net, tcp(), ConnectionOptions::new(0), equipment::etcher());
    let at = etcher.enable().await.unwrap();
    let (record, processed) = host::run(&net, at, order).await.unwrap();
    etcher.stop().await;
    assert!(record.iter().all(|event| event.lot == order.lot));
    let took = record.last().unwrap().after;
    let events = record.iter().map(|event| (event.ceid, event.wafer)).collect();
    (events, took, processed)
}

async fn a_job_of_hours() {
    let order = Order {
        lot: "LOT7",
        steps: &[900, 300, 600],
        wafers: 5,
        abort_after: None,
    };
    let (events, took, processed) = run(&order).await;
    let mut expected = vec![(STARTED, 0)];
    expected.extend((1..=5).map(|wafer| (WAFER_DONE, wafer)));
    expected.push((DONE, 5));
    assert_eq!((events, processed), (expected, 5));
    assert!(took >= Duration::from_secs(5 * 1800), "{took:?}");
}

async fn a_job_that_is_aborted() {
    let order = Order {
        lot: "LOT8",
        steps: &[60],
        wafers: 100,
        abort_after: Some(2),
    };
    let (events, _, processed) = run(&order).await;
    let expected = [
        (STARTED, 0),
        (WAFER_DONE, 1),
        (WAFER_DONE, 2),
        (WAFER_DONE, 3),
        (ABORTED, 3),
    ];
    assert_eq!((&events[..], processed), (&expected[..], 3));
}
