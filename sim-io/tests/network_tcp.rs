//! TCP as a program sees it: connecting, data, ends and errors.

mod network_common;

use net_core::framing::Line;
use net_core::{ErrorKind, Framed, Instant};
use network_common::{Pair, ms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn lines_are_echoed_in_virtual_time() {
    let pair = Pair::new(1, ms(20));
    let server = pair.server.net();
    pair.env.try_process(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:5000".parse()?).await?;
        let mut lines = Framed::new(listener.accept().await?, Line::default());
        while let Some((line, mut out)) = lines.next().await? {
            out.push(&line)?;
        }
        Ok::<_, net_core::Error>(())
    });
    let client = pair.client.net();
    pair.run(async move {
        let mut lines = Framed::new(client.connect(&"tcp://server:5000".parse()?).await?, Line::default());
        assert_eq!(client.now(), Instant::ZERO + ms(40));
        for text in ["one", "two"] {
            lines.send(text.as_bytes()).await?;
            let (line, _) = lines.next().await?.unwrap();
            assert_eq!(&line[..], text.as_bytes());
        }
        assert_eq!(client.now(), Instant::ZERO + ms(120));
        Ok(())
    });
    // The server has seen the end, and nothing waits any more.
    pair.env.run().unwrap();
    assert_eq!(pair.env.blocked(), []);
}

#[test]
fn reads_are_short_and_the_end_follows_the_data() {
    let pair = Pair::new(1, ms(5));
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        near.write_all(b"hello").await?;
        near.shutdown().await?;
        let mut some = [0; 3];
        assert_eq!(far.read(&mut some).await?, 3);
        assert_eq!(&some, b"hel");
        assert_eq!(far.read(&mut some).await?, 2);
        assert_eq!(far.read(&mut some).await?, 0);
        assert_eq!(far.read(&mut some).await?, 0);
        // The other half is still open.
        far.write_all(b"bye").await?;
        drop(far);
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await?;
        assert_eq!(rest, b"bye");
        Ok(())
    });
    pair.env.run().unwrap();
}

#[test]
fn nothing_listens_is_refused_after_a_round_trip() {
    let pair = Pair::new(1, ms(15));
    let client = pair.client.net();
    pair.run(async move {
        let error = client.connect(&"tcp://server:1".parse()?).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(client.now(), Instant::ZERO + ms(30));
        Ok(())
    });
    assert_eq!(pair.env.peek(), None);
}
