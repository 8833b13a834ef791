//! Connections whose peer has ended: they end when nobody can send by them any more, and not before.

mod common;
mod net_common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::collect;
use components::{
    Active, ConnectedSocketAdapter, Context, Endpoint, Event, Graphline, Handle, HasInbox, Inbox, Outbox, Pipeline,
    Signal, SingleServer, System, TcpClient, check, for_each, from_fn, link, map,
};
use net_common::{Sides, on_both};
use net_core::{Listener, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server of the test's own, and where it is.
async fn listening(sides: &Sides) -> (Listener, Endpoint) {
    let listener = sides.server.bind(&sides.listen).await.unwrap();
    let at = sides.reach(listener.local());
    (listener, at)
}

/// Says something, ends its side, and reads the other one to its end.
async fn say_and_end(stream: &mut Stream, said: &[u8]) -> Vec<u8> {
    stream.write_all(said).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

#[test]
fn a_client_that_only_reads_ends_with_the_server_at_the_head_of_a_pipeline() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let (all, sink) = collect::<Bytes>();
        let pipeline = Pipeline::new(TcpClient::new(at))
            .then(map(|bytes: Bytes| bytes))
            .then(sink);
        // What it may leave out, it may.
        assert_eq!(check(&pipeline), []);
        let running = System::new(&sides.client).activate(pipeline).unwrap();
        let mut stream = listener.accept().await.unwrap();
        assert_eq!(say_and_end(&mut stream, b"a whole page").await, b"");
        let end = running.await;
        assert!(end.reason.is_clean() && end.failures.is_empty(), "{end}");
        assert_eq!(all.lock().unwrap().concat(), b"a whole page");
    });
}

#[test]
fn a_client_that_only_reads_ends_in_a_graphline_and_so_do_those_behind_it() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let mut graph = Graphline::new();
        graph.add("CLIENT", TcpClient::new(at)).unwrap();
        graph.add("SHOW", for_each(|_: Bytes| {})).unwrap();
        graph.link("CLIENT.outbox", "SHOW.inbox").unwrap();
        graph.link("CLIENT.signal", "SHOW.control").unwrap();
        let running = System::new(&sides.client).activate(graph).unwrap();
        let mut stream = listener.accept().await.unwrap();
        assert_eq!(say_and_end(&mut stream, b"all").await, b"");
        assert!(running.await.reason.is_clean());
    });
}

/// Sends and ends without a word to the control box.
fn late(pause: Duration) -> impl components::Component + components::HasOutbox<Out = Bytes> {
    from_fn(
        "Late",
        move |_: Inbox<Bytes>, mut outbox: Outbox<Bytes>, context: Context| async move {
            context.sleep(pause).await?;
            for n in 0..10_u8 {
                outbox.send(vec![n; 10_000].into()).await?;
            }
            Ok(())
        },
    )
}

#[test]
fn one_that_has_a_sender_stays_half_open_and_ends_with_it() {
    // Told to finish by it, or not.
    for told in [true, false] {
        on_both(move |sides| async move {
            let (mut listener, at) = listening(&sides).await;
            let mut graph = Graphline::new();
            graph.add("LATE", late(sides.short())).unwrap();
            graph.add("CLIENT", TcpClient::new(at)).unwrap();
            graph.link("LATE.outbox", "CLIENT.inbox").unwrap();
            if told {
                graph.link("LATE.signal", "CLIENT.control").unwrap();
            }
            let running = System::new(&sides.client).activate(graph).unwrap();
            let mut stream = listener.accept().await.unwrap();
            // All that it sends long after we have ended arrives.
            assert_eq!(say_and_end(&mut stream, b"").await.len(), 100_000);
            let end = running.await;
            assert!(end.reason.is_clean() && end.failures.is_empty(), "{end}");
        });
    }
}

/// A client whose server has ended its side, with somebody outside who may send to its boxes.
async fn half_open(sides: &Sides) -> (Handle<Bytes, Bytes>, Stream) {
    let (mut listener, at) = listening(sides).await;
    let mut client = System::new(&sides.client)
        .activate_with_handle(TcpClient::new(at))
        .unwrap();
    let mut stream = listener.accept().await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(client.signal.recv().await.unwrap().is_finished());
    sides.client.sleep(sides.short()).await;
    assert!(client.component.end().is_none(), "somebody may still send");
    (client, stream)
}

async fn ends_with(running: &Active, stream: &mut Stream, expected: &[u8]) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, expected);
    let end = running.clone().await;
    assert!(end.reason.is_clean(), "{end}");
}

#[test]
fn it_ends_when_the_last_box_that_leads_to_it_is_gone() {
    on_both(|sides| async move {
        // Whichever goes last.
        let (mut client, mut stream) = half_open(&sides).await;
        client.put("one".into()).await.unwrap();
        drop(client.inbox);
        sides.client.sleep(sides.short()).await;
        assert!(client.component.end().is_none(), "its control box is linked");
        drop(client.control);
        ends_with(&client.component, &mut stream, b"one").await;

        let (mut client, mut stream) = half_open(&sides).await;
        drop(client.control);
        client.inbox.send("one".into()).await.unwrap();
        client.inbox.send("two".into()).await.unwrap();
        drop(client.inbox);
        ends_with(&client.component, &mut stream, b"onetwo").await;

        // Told to, as ever.
        let (mut client, mut stream) = half_open(&sides).await;
        client.put("one".into()).await.unwrap();
        client.control.try_send(Signal::producer_finished()).unwrap();
        ends_with(&client.component, &mut stream, b"one").await;
    });
}

#[test]
fn a_link_that_is_moved_is_no_end() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let (mut source, way) = (Outbox::<Bytes>::new(), Inbox::new());
        let client = TcpClient::new(at);
        link(&source, client.inbox()).unwrap();
        link(&way, client.inbox()).unwrap();
        let running = System::new(&sides.client).activate(client).unwrap();
        let mut stream = listener.accept().await.unwrap();
        stream.shutdown().await.unwrap();
        sides.client.sleep(sides.short()).await;
        components::relink(&source, &way).unwrap();
        sides.client.sleep(sides.short()).await;
        source.send("by another way".into()).await.unwrap();
        drop(source);
        ends_with(&running, &mut stream, b"by another way").await;
    });
}

#[test]
fn an_adapter_that_nothing_is_linked_to_ends_and_what_waits_is_sent() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let stream = sides.client.connect(&at).await.unwrap();
        let mut other = listener.accept().await.unwrap();
        let adapter = ConnectedSocketAdapter::new(stream);
        let mut early = Outbox::<Bytes>::new();
        link(&early, &adapter.inbox).unwrap();
        early.send("waits".into()).await.unwrap();
        drop(early);
        let running = System::new(&sides.client).activate(adapter).unwrap();
        assert_eq!(say_and_end(&mut other, b"").await, b"waits");
        assert!(running.await.reason.is_clean());
    });
}

#[test]
fn one_that_waits_for_the_servers_close_ends_with_it() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let client = TcpClient::new(at).wait_for_serverclose(true);
        let mut client = System::new(&sides.client).activate_with_handle(client).unwrap();
        client.put("one".into()).await.unwrap();
        client.component.finish();
        let mut stream = listener.accept().await.unwrap();
        let mut part = [0; 3];
        stream.read_exact(&mut part).await.unwrap();
        sides.client.sleep(sides.short()).await;
        assert!(client.component.end().is_none(), "it heeds the server only");
        assert_eq!(say_and_end(&mut stream, b"").await, b"");
        assert!(client.component.clone().await.reason.is_clean());
    });
}

#[test]
fn two_that_only_send_to_each_other_end_when_both_peers_have() {
    on_both(|sides| async move {
        let (mut listener, at) = listening(&sides).await;
        let mut graph = Graphline::new();
        graph.add("ONE", TcpClient::new(at.clone())).unwrap();
        graph.add("OTHER", TcpClient::new(at)).unwrap();
        graph.link("ONE.outbox", "OTHER.inbox").unwrap();
        graph.link("OTHER.outbox", "ONE.inbox").unwrap();
        let running = System::new(&sides.client).activate(graph).unwrap();
        let (mut first, mut second) = (listener.accept().await.unwrap(), listener.accept().await.unwrap());
        first.write_all(b"there").await.unwrap();
        first.shutdown().await.unwrap();
        let mut part = [0; 5];
        second.read_exact(&mut part).await.unwrap();
        assert_eq!(&part, b"there");
        // The first one's way back is open still.
        sides.client.sleep(sides.short()).await;
        assert_eq!(say_and_end(&mut second, b"and back").await, b"");
        let mut all = Vec::new();
        first.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"and back");
        assert!(running.await.reason.is_clean());
    });
}

/// Who was told to be stranded after whom.
fn watch(system: &System) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    system.observe(move |event| {
        if let Event::Stranded { component, after } = event {
            seen.lock().unwrap().push(format!("{component} after {after}"));
        }
    });
    told
}

#[test]
fn a_forgotten_signal_behind_a_connection_is_told_when_its_peer_ends() {
    // Also where somebody may still send by the connection.
    for half_open in [false, true] {
        on_both(move |sides| async move {
            let (mut listener, at) = listening(&sides).await;
            let mut graph = Graphline::new();
            graph.add("CLIENT", TcpClient::new(at)).unwrap();
            graph.add("SHOW", for_each(|_: Bytes| {})).unwrap();
            graph.link("CLIENT.outbox", "SHOW.inbox").unwrap();
            graph.link("self.inbox", "CLIENT.inbox").unwrap();
            let mut source = Outbox::<Bytes>::new();
            if half_open {
                link(&source, graph.own_inbox::<Bytes>("inbox").unwrap()).unwrap();
            }
            let system = System::new(&sides.client);
            let told = watch(&system);
            let running = system.activate(graph).unwrap();
            let mut stream = listener.accept().await.unwrap();
            stream.write_all(b"all").await.unwrap();
            sides.client.sleep(sides.short()).await;
            assert_eq!(*told.lock().unwrap(), [""; 0]);
            assert_eq!(system.snapshot().stranded, [] as [Arc<str>; 0]);
            stream.shutdown().await.unwrap();
            while told.lock().unwrap().is_empty() {
                sides.client.sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(system.snapshot().stranded, ["ForEach_3".into()]);
            if half_open {
                source.send("late".into()).await.unwrap();
                drop(source);
            }
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, if half_open { &b"late"[..] } else { b"" });
            running.finish();
            assert!(running.await.reason.is_clean());
            assert_eq!(*told.lock().unwrap(), ["ForEach_3 after TCPClient_2"]);
        });
    }
}

#[test]
fn who_reads_from_one_client_after_the_other_is_not_stranded() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let told = watch(&system);
        let server = SingleServer::bind(&system, &sides.listen).await.unwrap();
        let at = sides.reach(server.local());
        let (all, sink) = collect::<Bytes>();
        link(&server.outbox, sink.inbox()).unwrap();
        let sink = system.activate(sink).unwrap();
        let server = system.activate(server).unwrap();
        for word in ["one", "two"] {
            let mut stream = sides.client.connect(&at).await.unwrap();
            assert_eq!(say_and_end(&mut stream, word.as_bytes()).await, b"");
            assert_eq!(system.snapshot().stranded, [] as [Arc<str>; 0]);
        }
        assert_eq!(*told.lock().unwrap(), [""; 0]);
        server.finish();
        server.await;
        sink.finish();
        sink.await;
        assert_eq!(all.lock().unwrap().concat(), b"onetwo");
    });
}
