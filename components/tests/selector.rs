//! The explicit form: adapters that are told by a selector when their sockets are ready.

mod net_common;

use bytes::Bytes;
use components::{
    Component, ConnectedSocketAdapter, Event, HasInbox, HasOutbox, HowDied, Inbox, Outbox, Selector, SelectorRequest,
    Signal, SocketShutdown, System, Watch, link, map,
};
use net_common::{on_both, pattern};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn echo() -> impl Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes> {
    map(|bytes: Bytes| bytes)
}

#[test]
fn an_adapter_wired_to_a_selector_echoes_a_half_closed_stream_whole() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let (tell, mut selector_ended) = tokio::sync::mpsc::unbounded_channel();
        system.observe(move |event| match event {
            Event::Ended(end) if end.component.starts_with("Selector") => {
                let _ = tell.send(end.clone());
            }
            _ => {}
        });
        // Starts the system's selector.
        drop(Selector::service(&system).unwrap());
        assert!(system.services().registered().contains(&"selector".to_owned()));
        let service = system.services().retrieve("selector").unwrap();
        let mut listener = sides.server.bind(&sides.listen).await.unwrap();
        let at = sides.reach(listener.local());
        let mut ends = Vec::new();
        for _ in 0..3 {
            let client = sides.client.connect(&at).await.unwrap();
            let adapter = ConnectedSocketAdapter::with_selector(listener.accept().await.unwrap(), &service).unwrap();
            let handler = echo();
            let feedback = Inbox::<Signal>::new();
            link(&adapter.outbox, handler.inbox()).unwrap();
            link(handler.outbox(), &adapter.inbox).unwrap();
            link(&adapter.creator_feedback, &feedback).unwrap();
            let adapter = system.activate(adapter).unwrap();
            let handler = system.activate(handler).unwrap();
            let data = pattern(sides.size(500_000));
            let sent = data.clone();
            let (mut reads, mut writes) = tokio::io::split(client);
            let writing = sides
                .client
                .spawn(async move {
                    writes.write_all(&sent).await.unwrap();
                    writes.shutdown().await.unwrap();
                    writes
                })
                .unwrap();
            let mut back = vec![0; data.len()];
            reads.read_exact(&mut back).await.unwrap();
            assert!(back == data);
            handler.finish();
            handler.await;
            adapter.finish();
            assert_eq!(reads.read(&mut [0; 1]).await.unwrap(), 0);
            drop(writing.await);
            ends.push((adapter, feedback));
        }
        for (adapter, mut feedback) in ends {
            let signal = feedback.recv().await.unwrap();
            let end = SocketShutdown::of(&signal).unwrap();
            assert!(end.is_clean() && matches!(end.how, HowDied::PeerClosed), "{end}");
            adapter.await;
        }
        // Nobody is registered any more: it ends when it is told.
        let mut shutdown: Outbox<Signal> = system.services().retrieve("selectorshutdown").unwrap().outbox();
        shutdown.try_send(Signal::Shutdown).unwrap();
        let ended = selector_ended.recv().await.unwrap();
        assert!(ended.reason.is_clean(), "{ended}");
        assert!(system.services().registered().is_empty());
    });
}

#[test]
fn read_ready_has_the_adapter_read() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let mut listener = sides.server.bind(&sides.listen).await.unwrap();
        let mut client = sides.client.connect(&sides.reach(listener.local())).await.unwrap();
        let adapter = ConnectedSocketAdapter::explicit(listener.accept().await.unwrap());
        let (mut requests, mut ready, mut outbox) = (Inbox::new(), Outbox::new(), Inbox::new());
        link(&adapter.selector_signal, &requests).unwrap();
        link(&ready, &adapter.read_ready).unwrap();
        link(&adapter.outbox, &outbox).unwrap();
        let adapter = system.activate(adapter).unwrap();
        // It has tried once, and asks to be told.
        let request = requests.recv().await.unwrap();
        let SelectorRequest::NewReader(watch) = request else {
            panic!("{request:?}");
        };
        assert_eq!(&watch.caller, adapter.name());
        client.write_all(b"hello").await.unwrap();
        // A real selector tells us, and only us, that there is something to be read.
        let (mut selector, told, mut heard) = (Selector::service(&system).unwrap(), Outbox::new(), Inbox::new());
        link(&told, &heard).unwrap();
        let ours = SelectorRequest::NewReader(Watch::new("test", &watch.on, told));
        selector.try_send(ours).unwrap();
        assert_eq!(heard.recv().await, Some(Signal::Status("ready".into())));
        assert!(outbox.try_recv().is_none(), "nobody has told it");
        ready.try_send(Signal::Status("any message counts".into())).unwrap();
        assert_eq!(outbox.recv().await.unwrap(), "hello");
        adapter.stop();
        adapter.await;
    });
}
