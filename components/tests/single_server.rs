//! A server for one client at a time.

mod net_common;

use bytes::Bytes;
use components::{HowDied, Inbox, Outbox, Signal, SingleServer, SocketShutdown, System, link};
use net_common::on_both;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Watched {
    inbox: Outbox<Bytes>,
    outbox: Inbox<Bytes>,
    signal: Inbox<Signal>,
    active: components::Active,
}

fn watch(system: &System, server: SingleServer) -> Watched {
    let (inbox, outbox, signal) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&inbox, &server.inbox).unwrap();
    link(&server.outbox, &outbox).unwrap();
    link(&server.signal, &signal).unwrap();
    Watched {
        inbox,
        outbox,
        signal,
        active: system.activate(server).unwrap(),
    }
}

#[test]
fn one_client_is_served_others_are_turned_away_and_then_the_next_may_come() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
        let at = sides.reach(server.local());
        let mut server = watch(&system, server);
        // It waits for a client.
        server.inbox.send("welcome".into()).await.unwrap();
        for round in 0..3_u8 {
            let mut client = sides.client.connect(&at).await.unwrap();
            client.write_all(&[round]).await.unwrap();
            assert_eq!(server.outbox.recv().await.as_deref(), Some(&[round][..]));
            if round == 0 {
                let mut word = [0; 7];
                client.read_exact(&mut word).await.unwrap();
                assert_eq!(&word, b"welcome");
            }
            let mut other = sides.client.connect(&at).await.unwrap();
            assert_eq!(other.read(&mut [0; 1]).await.unwrap_or(0), 0, "turned away");
            server.inbox.send("still here".into()).await.unwrap();
            let mut word = [0; 10];
            client.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"still here");
            // What waits when the client ends its side is sent.
            client.shutdown().await.unwrap();
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
            let left = server.signal.recv().await.unwrap();
            assert!(left.is_finished(), "{left}");
            let closed = server.signal.recv().await.unwrap();
            let end = SocketShutdown::of(&closed).unwrap();
            assert!(matches!(end.how, HowDied::PeerClosed) && end.is_clean(), "{end}");
        }
        server.active.finish();
        let end = server.active.await;
        assert!(end.reason.is_clean(), "{end}");
        assert!(sides.client.connect(&at).await.is_err(), "the port is free");
    });
}

#[test]
fn everything_is_sent_before_it_finishes_and_nothing_more_when_it_is_stopped() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        for stop in [false, true] {
            let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
            let at = sides.reach(server.local());
            let mut server = watch(&system, server);
            let mut client = sides.client.connect(&at).await.unwrap();
            client.write_all(b"x").await.unwrap();
            assert_eq!(server.outbox.recv().await.as_deref(), Some(&b"x"[..]));
            if stop {
                server.active.stop();
                assert_eq!(client.read(&mut [0; 1]).await.unwrap_or(0), 0);
            } else {
                for _ in 0..10 {
                    server.inbox.send(Bytes::from_static(&[7; 1000])).await.unwrap();
                }
                server.active.finish();
                let mut all = Vec::new();
                client.read_to_end(&mut all).await.unwrap();
                assert_eq!(all.len(), 10_000);
                drop(client);
            }
            let end = server.active.await;
            assert!(end.reason.is_clean(), "{end}");
            let mut last = None;
            while let Some(signal) = server.signal.recv().await {
                last = Some(signal);
            }
            assert_eq!(last.unwrap().is_shutdown(), stop);
        }
    });
}

#[test]
fn what_waits_when_the_producer_has_finished_is_for_the_next_client() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        for stop in [false, true] {
            let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
            let at = sides.reach(server.local());
            let mut server = watch(&system, server);
            for _ in 0..10 {
                server.inbox.send(Bytes::from_static(&[7; 1000])).await.unwrap();
            }
            server.active.finish();
            sides.server.sleep(sides.short()).await;
            assert!(server.active.end().is_none(), "it waits for a client");
            if stop {
                server.active.stop();
            } else {
                let mut client = sides.client.connect(&at).await.unwrap();
                let mut all = Vec::new();
                client.read_to_end(&mut all).await.unwrap();
                assert_eq!(all.len(), 10_000);
                drop(client);
                let closed = server.signal.recv().await.unwrap();
                let closed = if closed.is_finished() {
                    server.signal.recv().await.unwrap()
                } else {
                    closed
                };
                let end = SocketShutdown::of(&closed).unwrap();
                assert!(end.is_clean() && end.sent == 10_000, "{end}");
            }
            let end = server.active.await;
            assert!(end.reason.is_clean(), "{end}");
            assert!(sides.client.connect(&at).await.is_err(), "the port is free");
        }
        // One with nothing to send ends at once.
        let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
        let server = watch(&system, server);
        server.active.finish();
        assert!(server.active.await.reason.is_clean());
    });
}

#[test]
fn a_client_that_breaks_off_makes_room_for_the_next() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
        let at = sides.reach(server.local());
        let mut server = watch(&system, server);
        let rude = sides.client.connect(&at).await.unwrap();
        rude.reset();
        let closed = server.signal.recv().await.unwrap();
        let end = SocketShutdown::of(&closed).unwrap();
        assert!(matches!(end.how, HowDied::Reset(_)), "{end}");
        let mut client = sides.client.connect(&at).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        assert_eq!(server.outbox.recv().await.as_deref(), Some(&b"hello"[..]));
        server.active.stop();
        assert!(server.active.await.reason.is_clean());
    });
}
