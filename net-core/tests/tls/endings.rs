//! Ends with and without close_notify.

use net_core::framing::{LengthPrefix, Raw};
use net_core::{ClosedBy, Error, ErrorKind, Framed, Operation, TlsClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::backend::{net, on_each_backend};
use crate::common::certificates::{Authority, trusting};
use crate::common::events::Events;
use crate::rig::{encrypted, encrypted_on};

on_each_backend!(
    a_shutdown_says_close_notify_before_the_end,
    an_end_without_close_notify_is_truncated_unless_that_is_tolerated,
    framings_that_tell_their_length_need_no_close_notify_on_a_boundary,
);

async fn a_shutdown_says_close_notify_before_the_end() {
    let (server, client) = trusting();
    let (mut here, mut there) = encrypted(&server, &client).await;
    here.write_all(b"last words").await.unwrap();
    here.shutdown().await.unwrap();
    let mut text = String::new();
    there.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "last words");
    // The other direction is still open.
    there.write_all(b"answer").await.unwrap();
    there.shutdown().await.unwrap();
    text.clear();
    here.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");
}

async fn an_end_without_close_notify_is_truncated_unless_that_is_tolerated() {
    let (server, client) = trusting();
    let (net, events) = Events::of(&net());
    let (mut here, mut there) = encrypted_on(&net, &server, &client).await;
    there.write_all(b"half").await.unwrap();
    let id = here.id();
    drop(there);
    let mut text = Vec::new();
    let error = Error::from_io(Operation::Write, here.read_to_end(&mut text).await.unwrap_err());
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Truncated, Operation::Read)
    );
    assert_eq!(text, b"half");
    drop(here);
    assert_eq!(events.end_of(id), Some((ClosedBy::Error, Some(error))));

    let authority = Authority::new("ours");
    let server = authority.issue(&["localhost"]).server();
    let lenient = TlsClient::builder()
        .root_pem(&authority.pem())
        .tolerate_missing_close_notify()
        .build()
        .unwrap();
    let (mut here, there) = encrypted(&server, &lenient).await;
    drop(there);
    assert_eq!(here.read(&mut [0; 1]).await.unwrap(), 0);
}

async fn framings_that_tell_their_length_need_no_close_notify_on_a_boundary() {
    let (server, client) = trusting();
    for (sent, whole) in [(&b"\0\0\0\x05whole"[..], true), (b"\0\0\0\x05whole\0\0", false)] {
        let (net, events) = Events::of(&net());
        let (here, mut there) = encrypted_on(&net, &server, &client).await;
        there.write_all(sent).await.unwrap();
        drop(there);
        let id = here.id();
        let mut lines = Framed::new(here, LengthPrefix::default());
        assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"whole");
        match lines.next().await {
            Ok(None) => assert!(whole),
            Ok(Some(frame)) => panic!("{frame:?}"),
            Err(error) => assert_eq!((whole, error.kind()), (false, ErrorKind::Truncated)),
        }
        drop(lines);
        let expected = if whole { ClosedBy::Peer } else { ClosedBy::Error };
        assert_eq!(events.end_of(id).unwrap().0, expected);
    }

    let (here, mut there) = encrypted(&server, &client).await;
    there.write_all(&[0, 0, 0, 1, 7]).await.unwrap();
    drop(there);
    let mut frames = Framed::new(here, LengthPrefix::default());
    assert_eq!(&*frames.next().await.unwrap().unwrap().0, &[7]);
    assert!(frames.next().await.unwrap().is_none());

    // Raw chunks tell nothing.
    let (here, there) = encrypted(&server, &client).await;
    drop(there);
    assert_eq!(
        Framed::new(here, Raw).next().await.unwrap_err().kind(),
        ErrorKind::Truncated
    );
}
