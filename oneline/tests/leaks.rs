//! A thousand connections leave nothing behind. Alone in its file: it counts what the whole process holds.

mod common;

use common::backend::on_backend;
use common::{Raw, connect, eventually, sample, serving};
use oneline::Admission;

/// Only the operating system has files, and only tokio counts its tasks.
mod descriptors {
    super::on_backend!(tokio Tokio, a_thousand_open_and_close_cycles_leak_no_file_and_no_task);
}

/// The open files of this process, where the system tells.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

async fn a_thousand_open_and_close_cycles_leak_no_file_and_no_task() {
    let server = sample().admission(Admission::Concurrent { max: 4 });
    let (net, running) = serving(&server).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    client.disconnect().await.unwrap();
    eventually(&net, || net.stats().open() == 0).await;

    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = (open_files(), tasks());
    for round in 0..1000 {
        match round % 3 {
            0 => {
                let mut client = connect(&net, running.endpoint()).await.unwrap();
                assert_eq!(client.request("cmd01").await.unwrap(), "ack");
                client.disconnect().await.unwrap();
            }
            1 => {
                let mut client = Raw::connect(&net, &running).await;
                client.send("cmd01\n").await;
                client.reset();
            }
            _ => {
                let mut client = Raw::connect(&net, &running).await;
                client.send("half a li").await;
                client.finish().await;
                assert_eq!(client.line().await, None);
            }
        }
    }
    eventually(&net, || (open_files(), tasks()) == before && net.stats().open() == 0).await;
    assert_eq!(running.clients(), 0);
}
