//! A client for any echo server: sends messages of several sizes, one after another, and checks that each comes back.
//!
//! ```text
//! cargo run -p components --example echo_client -- tcp://127.0.0.1:7000
//! ```

mod common;

use bytes::{Bytes, BytesMut};
use components::{System, TcpClient};

const USAGE: &str = "usage: echo_client ENDPOINT";

const SIZES: [usize; 4] = [1, 1000, 50_000, 1_000_000];

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 1, &[]);
    let system = System::new(&arguments.net()?);
    let mut client = system.activate_with_handle(TcpClient::new(arguments.endpoint()))?;
    for size in SIZES {
        let data: Bytes = (0..size).map(|n| (n % 251) as u8).collect();
        client.put(data.clone()).await?;
        let mut back = BytesMut::with_capacity(size);
        while back.len() < size {
            match client.get().await {
                Some(bytes) => back.extend_from_slice(&bytes),
                None => {
                    let end = client.component.await;
                    return Err(format!("{} of {size} bytes came back; {end}", back.len()).into());
                }
            }
        }
        if back != data {
            return Err(format!("{size} bytes came back, and they are others").into());
        }
        println!("{size} bytes came back");
    }
    client.component.finish();
    common::run(client.component).await
}
