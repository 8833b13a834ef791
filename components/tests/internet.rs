//! Connections: what is queued arrives, half-closes leave the other direction, and every end is told. From one source on the
//! operating system's sockets and on a simulated network.

mod net_common;

use std::time::Duration;

use bytes::Bytes;
use components::{
    AdapterOptions, ConnectedSocketAdapter, HalfClose, HowDied, Inbox, Outbox, ServerCore, ShutdownCsa, Signal,
    SimpleServer, SocketShutdown, System, TcpClient, from_fn, link, map,
};
use net_common::{Sides, on_both, pattern};
use net_core::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn echo() -> impl components::Component + components::HasInbox<In = Bytes> + components::HasOutbox<Out = Bytes> {
    map(|bytes: Bytes| bytes)
}

/// What the boxes of an adapter said, from outside.
struct Watched {
    inbox: Outbox<Bytes>,
    control: Outbox<Signal>,
    outbox: Inbox<Bytes>,
    feedback: Inbox<Signal>,
    signal: Inbox<Signal>,
    active: components::Active,
}

fn watch(system: &System, adapter: ConnectedSocketAdapter) -> Watched {
    let (inbox, control) = (Outbox::new(), Outbox::new());
    let (outbox, feedback, signal) = (Inbox::new(), Inbox::new(), Inbox::new());
    link(&inbox, &adapter.inbox).unwrap();
    link(&control, &adapter.control).unwrap();
    link(&adapter.outbox, &outbox).unwrap();
    link(&adapter.creator_feedback, &feedback).unwrap();
    link(&adapter.signal, &signal).unwrap();
    Watched {
        inbox,
        control,
        outbox,
        feedback,
        signal,
        active: system.activate(adapter).unwrap(),
    }
}

impl Watched {
    /// The end of the connection, as its creator hears it; and that everybody heard it in order and once.
    async fn end(mut self) -> SocketShutdown {
        let feedback = self.feedback.recv().await.expect("socketShutdown");
        assert!(feedback.is_finished());
        let end = SocketShutdown::of(&feedback).unwrap().clone();
        assert!(self.feedback.recv().await.is_none(), "once");
        let (mut closed, mut finished, mut after) = (0, 0, Vec::new());
        while let Some(signal) = self.signal.recv().await {
            if let Some(told) = signal.message::<ShutdownCsa>() {
                closed += 1;
                assert_eq!(&told.csa, self.active.name());
                assert_eq!(told.socket.unsent, end.unsent);
            } else {
                finished += usize::from(signal.is_end());
                after.push(closed);
            }
        }
        assert_eq!((closed, finished), (1, 1), "shutdownCSA once, and one end");
        end
    }
}

async fn connected(sides: &Sides) -> (Stream, Stream) {
    let mut listener = sides.server.bind(&sides.listen).await.unwrap();
    let client = sides.client.connect(&sides.reach(listener.local())).await.unwrap();
    (client, listener.accept().await.unwrap())
}

#[test]
fn a_server_echoes_and_ends_with_its_clients() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, echo).await.unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let clients = System::new(&sides.client);
        let mut client = clients.activate_with_handle(TcpClient::new(at)).unwrap();
        client.put("hello".into()).await.unwrap();
        assert_eq!(client.get().await.unwrap(), "hello");
        client.component.finish();
        assert!(client.get().await.is_none());
        let end = client.component.clone().await;
        assert!(end.reason.is_clean(), "{end}");
        server.finish();
        let end = server.await;
        assert!(end.reason.is_clean(), "{end}");
        assert_eq!(system.counts().started, system.counts().ended);
    });
}

#[test]
fn d03_a_peer_that_half_closes_gets_the_whole_echo() {
    on_both(|sides| async move {
        let data = pattern(sides.size(5_000_000));
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, echo).await.unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let stream = sides.client.connect(&at).await.unwrap();
        let (mut reads, mut writes) = tokio::io::split(stream);
        let sent = data.clone();
        let writing = sides
            .client
            .spawn(async move {
                writes.write_all(&sent).await.unwrap();
                writes.shutdown().await.unwrap();
                writes
            })
            .unwrap();
        let mut back = Vec::new();
        reads.read_to_end(&mut back).await.unwrap();
        assert_eq!(back.len(), data.len());
        assert!(back == data);
        drop(writing.await);
        server.finish();
        server.await;
    });
}

#[test]
fn d01_everything_queued_before_producer_finished_arrives() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let mut adapter = watch(&system, ConnectedSocketAdapter::new(accepted));
        let data = pattern(sides.size(2_000_000));
        let to_send = Bytes::from(data.clone());
        let reading = sides
            .client
            .spawn({
                let net = sides.is_simulated().then(|| sides.client.clone());
                async move {
                    let (mut all, mut part) = (Vec::new(), vec![0; 50_000]);
                    loop {
                        let count = client.read(&mut part).await.unwrap();
                        if count == 0 {
                            return all;
                        }
                        all.extend_from_slice(&part[..count]);
                        // Slowly.
                        match &net {
                            Some(net) => net.sleep(Duration::from_millis(1)).await,
                            None => tokio::task::yield_now().await,
                        }
                    }
                }
            })
            .unwrap();
        for part in to_send.chunks(20_000) {
            adapter.inbox.send(to_send.slice_ref(part)).await.unwrap();
        }
        adapter.control.try_send(Signal::producer_finished()).unwrap();
        let all = reading.await.unwrap();
        assert_eq!(all.len(), data.len());
        assert!(all == data);
        let end = adapter.end().await;
        assert!(end.is_clean(), "{end}");
        assert!(matches!(end.how, HowDied::ProducerFinished), "{end}");
        assert_eq!(end.sent, data.len() as u64);
    });
}

#[test]
fn d01_what_a_silent_peer_does_not_read_is_told_as_a_number_and_seen_as_a_break() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let adapter = ConnectedSocketAdapter::new(accepted).options(AdapterOptions::new().linger(sides.short()));
        adapter.inbox.set_options(components::BoxOptions::new().unbounded());
        let mut adapter = watch(&system, adapter);
        let total = 20_000_000_u64;
        for _ in 0..20 {
            adapter.inbox.send(Bytes::from(vec![7; 1_000_000])).await.unwrap();
        }
        adapter.control.try_send(Signal::producer_finished()).unwrap();
        let end = adapter.end().await;
        assert!(matches!(end.how, HowDied::LingerExpired), "{end}");
        assert!(end.unsent > 0);
        assert_eq!(end.unsent + end.sent, total, "{end}");
        let mut all = Vec::new();
        assert!(client.read_to_end(&mut all).await.is_err(), "no clean end");
    });
}

#[test]
fn d02_what_was_received_is_delivered_before_the_end() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let mut adapter = watch(&system, ConnectedSocketAdapter::new(accepted));
        adapter.control.try_send(Signal::producer_finished()).unwrap();
        // It has closed its side, and takes what we send on.
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        let data = pattern(sides.size(3_000_000));
        let expected = data.len();
        let writing = sides
            .client
            .spawn(async move {
                client.write_all(&data).await.unwrap();
                client.shutdown().await.unwrap();
                client
            })
            .unwrap();
        let mut got = 0;
        while let Some(bytes) = adapter.outbox.recv().await {
            got += bytes.len();
        }
        assert_eq!(got, expected);
        drop(writing.await);
        let end = adapter.end().await;
        assert!(end.is_clean(), "{end}");
        assert_eq!(end.received, expected as u64);
    });
}

#[test]
fn a_shutdown_overtakes_data_and_counts_what_is_lost() {
    on_both(|sides| async move {
        let (client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let adapter = ConnectedSocketAdapter::new(accepted);
        adapter.inbox.set_options(components::BoxOptions::new().unbounded());
        let mut adapter = watch(&system, adapter);
        for _ in 0..20 {
            adapter.inbox.send(Bytes::from(vec![7; 1_000_000])).await.unwrap();
        }
        adapter.control.try_send(Signal::shutdown_microprocess()).unwrap();
        let end = adapter.end().await;
        assert!(matches!(end.how, HowDied::Shutdown), "{end}");
        assert_eq!(end.unsent + end.sent, 20_000_000);
        assert!(end.unsent > 0);
        drop(client);
    });
}

#[test]
fn half_close_as_in_kamaelia_ends_both_ways_and_still_sends_what_waits() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let options = AdapterOptions::new().half_close(HalfClose::Close);
        let mut adapter = watch(&system, ConnectedSocketAdapter::new(accepted).options(options));
        adapter.inbox.send("waits".into()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"waits");
        let end = adapter.end().await;
        assert!(matches!(end.how, HowDied::PeerClosed), "{end}");
    });
}

#[test]
fn the_peers_end_is_told_and_writing_stays_open() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let mut adapter = watch(&system, ConnectedSocketAdapter::new(accepted));
        client.shutdown().await.unwrap();
        let told = adapter.signal.recv().await.unwrap();
        assert!(told.is_finished() && told.failure().is_none());
        adapter.inbox.send("still here".into()).await.unwrap();
        let mut part = [0; 10];
        client.read_exact(&mut part).await.unwrap();
        assert_eq!(&part, b"still here");
        adapter.control.try_send(Signal::producer_finished()).unwrap();
        assert_eq!(client.read(&mut part).await.unwrap(), 0);
        let feedback = adapter.feedback.recv().await.unwrap();
        let end = SocketShutdown::of(&feedback).unwrap();
        assert!(end.is_clean() && matches!(end.how, HowDied::PeerClosed), "{end}");
    });
}

#[test]
fn d04_a_storm_of_resets_hurts_no_other_connection() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, echo).await.unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let mut steady = sides.client.connect(&at).await.unwrap();
        for round in 0..100_u32 {
            let mut rude = sides.client.connect(&at).await.unwrap();
            rude.write_all(&[1; 5000]).await.unwrap();
            if round % 2 == 0 {
                rude.read_exact(&mut [0; 100]).await.unwrap();
            }
            rude.reset();
            steady.write_all(&round.to_be_bytes()).await.unwrap();
            let mut back = [0; 4];
            steady.read_exact(&mut back).await.unwrap();
            assert_eq!(u32::from_be_bytes(back), round);
        }
        drop(steady);
        server.finish();
        let end = server.await;
        assert!(end.reason.is_clean(), "{end}");
        assert_eq!(system.counts().failed, 0);
    });
}

#[test]
fn d04_a_reset_is_told_as_the_cause() {
    on_both(|sides| async move {
        let (client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let adapter = watch(&system, ConnectedSocketAdapter::new(accepted));
        client.reset();
        let end = adapter.end().await;
        assert!(matches!(end.how, HowDied::Reset(_)), "{end}");
        assert!(!end.is_clean());
    });
}

#[test]
fn d06_a_port_in_use_is_an_error_of_starting() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let first = SimpleServer::bind(&system, &sides.listen, echo).await.unwrap();
        let error = SimpleServer::bind(&system, first.local(), echo).await.unwrap_err();
        assert_eq!(error.kind(), net_core::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&first.local().to_string()), "{error}");
    });
}

#[test]
fn d07_a_client_tells_why_it_could_not_connect() {
    on_both(|sides| async move {
        let system = System::new(&sides.client);
        let nobody = {
            let listener = sides.server.bind(&sides.listen).await.unwrap();
            sides.reach(listener.local())
        };
        let mut client = system.activate_with_handle(TcpClient::new(nobody)).unwrap();
        client.try_put("never sent".into()).unwrap();
        let signal = client.signal.recv().await.unwrap();
        let end = SocketShutdown::of(&signal).unwrap();
        assert!(matches!(end.how, HowDied::Refused(_)), "{end}");
        assert_eq!(end.unsent, 10);
        assert!(client.signal.recv().await.is_none(), "once");
        assert!(client.component.clone().await.reason.failure().is_some());
    });
}

#[test]
fn d12_a_client_that_never_reads_leaves_memory_flat() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let (tell, mut stuck) = tokio::sync::mpsc::unbounded_channel();
        system.observe(move |event| {
            if let components::Event::Circle { links } = event {
                let _ = tell.send(links.clone());
            }
        });
        let adapter = ConnectedSocketAdapter::new(accepted);
        let handler = echo();
        link(&adapter.outbox, components::HasInbox::inbox(&handler)).unwrap();
        link(components::HasOutbox::outbox(&handler), &adapter.inbox).unwrap();
        let adapter = system.activate(adapter).unwrap();
        let handler = system.activate(handler).unwrap();
        // It takes what the boxes and the system hold, and then no more.
        let mut taken = 0_usize;
        let data = vec![5; 64 * 1024];
        let writing = async {
            loop {
                client.write_all(&data).await.unwrap();
                taken += data.len();
                assert!(taken < 64 << 20, "it takes everything");
            }
        };
        if sides.is_simulated() {
            assert!(sides.client.timeout(sides.short(), writing).await.is_err());
        } else {
            // Each of the two waits for room at the other.
            let links: Vec<String> = tokio::select! {
                biased;
                links = stuck.recv() => links.unwrap(),
                () = writing => unreachable!("it writes for ever"),
            };
            assert_eq!(links.len(), 2, "{links:?}");
        }
        let depth = |active: &components::Active| {
            let snapshot = system.snapshot();
            let boxes = &snapshot.component(active.name()).unwrap().boxes;
            boxes.iter().find(|view| view.name == "inbox").unwrap().depth
        };
        assert!(depth(&adapter) <= 16 && depth(&handler) <= 64);
        adapter.stop();
        handler.stop();
        adapter.await;
        handler.await;
    });
}

#[test]
fn d17_data_sent_before_a_signal_is_handled_before_it() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = ServerCore::bind(&system, &sides.listen, |_: &components::Connected| {
            from_fn("Greeter", |_: Inbox<Bytes>, mut outbox: Outbox<Bytes>, _| async move {
                for n in 0..1000_u32 {
                    outbox.send(Bytes::from(n.to_be_bytes().to_vec())).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let mut client = sides.client.connect(&at).await.unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 4000);
        drop(client);
        server.finish();
        server.await;
    });
}

#[test]
fn d19_a_handler_that_ends_in_silence_or_panics_closes_its_connection() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = ServerCore::bind(&system, &sides.listen, |_: &components::Connected| {
            from_fn(
                "Moody",
                |mut inbox: Inbox<Bytes>, mut outbox: Outbox<Bytes>, _| async move {
                    let mood = inbox.recv().await;
                    outbox.send("bye".into()).await?;
                    assert_ne!(mood.as_deref(), Some(&b"panic"[..]), "on purpose");
                    Ok(())
                },
            )
        })
        .await
        .unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        for word in ["end", "panic"] {
            let mut client = sides.client.connect(&at).await.unwrap();
            client.write_all(word.as_bytes()).await.unwrap();
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, b"bye", "{word}");
        }
        server.finish();
        assert!(server.await.reason.is_clean());
    });
}

#[test]
fn a_stopped_server_closes_all_connections() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, echo).await.unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let mut client = sides.client.connect(&at).await.unwrap();
        client.write_all(b"x").await.unwrap();
        client.read_exact(&mut [0; 1]).await.unwrap();
        server.stop();
        server.await;
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_or(0), 0);
        assert!(sides.client.connect(&at).await.is_err(), "the port is free");
        assert_eq!(system.counts().started, system.counts().ended);
    });
}

#[test]
fn a_client_sends_what_waited_when_it_was_told_to_finish_early() {
    on_both(|sides| async move {
        let mut listener = sides.server.bind(&sides.listen).await.unwrap();
        let system = System::new(&sides.client);
        let client = TcpClient::new(sides.reach(listener.local()));
        let mut client = system.activate_with_handle(client).unwrap();
        client.try_put("early".into()).unwrap();
        client.component.finish();
        let mut accepted = listener.accept().await.unwrap();
        let mut all = Vec::new();
        accepted.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"early");
        drop(accepted);
        assert!(client.component.clone().await.reason.is_clean());
    });
}

#[test]
fn an_idle_connection_is_finished() {
    on_both(|sides| async move {
        let (mut client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let options = AdapterOptions::new().idle_timeout(sides.short()).linger(sides.short());
        let adapter = watch(&system, ConnectedSocketAdapter::new(accepted).options(options));
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        drop(client);
        let end = adapter.end().await;
        assert!(matches!(end.how, HowDied::IdleTimeout), "{end}");
    });
}

#[test]
fn boxes_have_the_names_of_the_original() {
    on_both(|sides| async move {
        let (client, accepted) = connected(&sides).await;
        let system = System::new(&sides.server);
        let adapter = watch(&system, ConnectedSocketAdapter::new(accepted));
        let name = adapter.active.name().to_string();
        let error = system.unlink(&format!("{name}.nothing")).unwrap_err().to_string();
        for existing in [
            "inbox inbox",
            "inbox control",
            "inbox ReadReady",
            "inbox SendReady",
            "inbox makessl",
            "outbox outbox",
            "outbox CreatorFeedback",
            "outbox signal",
            "outbox sslready",
            "outbox _selectorSignal",
        ] {
            assert!(error.contains(existing), "{existing} in {error}");
        }
        drop(client);
        adapter.active.stop();
    });
}
