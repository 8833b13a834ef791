//! A pipeline that parses and re-frames: lines `key=value` come in, frames go out.
//!
//! ```text
//! cargo run -p components --example reframe -- tcp://127.0.0.1:7004      and then: printf 'a=1\nb=22\n' | nc -N 127.0.0.1 7004 | xxd
//! ```
//!
//! A frame is: the length of the key, one byte; the key; the length of the value, four bytes, the highest first; the value. A
//! line without `=` is a value without a key.

mod common;

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use components::{
    Component, Context, Failure, HasInbox, HasOutbox, Inbox, Outbox, Pipeline, SimpleServer, System, from_fn, map,
};

const USAGE: &str = "usage: reframe ENDPOINT";

/// A client that sends a longer line is told off by the end of its connection.
const LONGEST: usize = 64 * 1024;

struct Pair {
    key: Bytes,
    value: Bytes,
}

/// Bytes in, lines out, without their ends; what comes after the last end is a line too.
fn lines() -> impl Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes> {
    from_fn(
        "Lines",
        |mut inbox: Inbox<Bytes>, mut outbox: Outbox<Bytes>, _: Context| async move {
            let mut rest = BytesMut::new();
            let mut whole = VecDeque::new();
            while let Some(bytes) = inbox.recv().await {
                let mut from = rest.len();
                rest.extend_from_slice(&bytes);
                while let Some(end) = rest.iter().skip(from).position(|byte| *byte == b'\n') {
                    let mut line = rest.split_to(from + end + 1);
                    line.truncate(from + end);
                    whole.push_back(line.freeze());
                    from = 0;
                }
                outbox.send_all(&mut whole).await?;
                if rest.len() > LONGEST {
                    return Err(Failure::new(format!("a line has more than {LONGEST} bytes")));
                }
            }
            if !rest.is_empty() {
                outbox.send(rest.freeze()).await?;
            }
            Ok(())
        },
    )
}

fn parse(line: Bytes) -> Pair {
    match line.iter().position(|byte| *byte == b'=') {
        Some(at) if at <= usize::from(u8::MAX) => Pair {
            key: line.slice(..at),
            value: line.slice(at + 1..),
        },
        _ => Pair {
            key: Bytes::new(),
            value: line,
        },
    }
}

fn frame(pair: Pair) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + pair.key.len() + pair.value.len());
    frame.put_u8(pair.key.len() as u8);
    frame.put(pair.key);
    frame.put_u32(pair.value.len() as u32);
    frame.put(pair.value);
    frame.freeze()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 1, &[]);
    let system = System::new(&arguments.net()?);
    let protocol = || Pipeline::new(lines()).then(map(parse)).then(map(frame));
    let server = SimpleServer::bind(&system, &arguments.endpoint(), protocol).await?;
    println!("listening on {}", server.local());
    common::run(system.activate(server)?).await
}
