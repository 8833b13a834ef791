//! Sockets as BSD's calls know them: each state and call, and the whole life of a socket on every transport.
#![cfg(feature = "os")]

mod common;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::backend::{net, on_each_backend, where_nothing_is_lost, where_time_jumps};
use common::pattern;
use common::place::{Place, on_each_transport};
use net_core::{BindOptions, ConnectOptions, Endpoint, ErrorKind, Net, Operation, Socket, SocketState};
use tokio::io::AsyncWriteExt;

on_each_backend!(
    a_bound_socket_that_connects_keeps_its_local_port,
    a_connect_that_fails_can_be_tried_again,
    a_bound_socket_whose_connect_fails_is_still_bound_and_tries_again_from_there,
);

where_nothing_is_lost!(a_reset_by_the_peer_is_told_by_the_next_call,);

where_time_jumps!(
    each_call_in_each_state_works_or_is_a_typed_error_that_leaves_the_socket_as_it_was,
    a_peer_that_never_closes_is_left_after_the_linger_time,
    a_bound_socket_whose_connect_fails_holds_its_address_again,
    a_bound_socket_whose_connect_is_given_up_knows_its_address_still,
    receiving_nothing_is_done_at_once_and_waiting_for_much_takes_no_memory,
    closing_over_tls_waits_for_no_peer_that_never_reads,
    a_shutdown_over_tls_waits_for_a_peer_that_never_reads_no_longer_than_the_linger_time,
);

on_each_transport!(
    a_socket_goes_through_its_whole_life,
    large_data_sent_before_a_close_arrive_whole_at_a_slow_reader,
    a_half_closed_socket_still_receives,
    closing_again_is_harmless_in_every_state,
);

/// A listening socket, one that is connected to it, and the accepted one.
async fn connected(place: &Place) -> (Socket, Socket, Socket) {
    let mut server = Socket::new(&place.net);
    server.bind(&place.endpoint).await.unwrap();
    server.listen().unwrap();
    let mut client = Socket::new(&place.net);
    let to = server.local().unwrap().clone();
    let accepting = async {
        let mut accepted = server.accept().await.unwrap();
        // Over TLS the client is connected only after the handshake, which needs both.
        accepted.send(b"").await.unwrap();
        accepted
    };
    let (connected, accepted) = tokio::join!(client.connect(&to), accepting);
    connected.unwrap();
    (server, client, accepted)
}

async fn a_socket_goes_through_its_whole_life(place: Place) {
    let mut server = Socket::new(&place.net);
    assert_eq!(
        (server.state(), server.local(), server.peer()),
        (SocketState::Created, None, None)
    );
    server.bind(&place.endpoint).await.unwrap();
    assert_eq!(server.state(), SocketState::Bound);
    let to = server.local().unwrap().clone();
    assert_ne!(to.port(), Some(0));

    // Bound is not listening: nobody can connect yet.
    let mut client = Socket::new(&place.net);
    let error = client.connect(&to).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation(), error.endpoint()),
        (ErrorKind::Refused, Operation::Connect, Some(&to))
    );
    assert_eq!(client.state(), SocketState::Created);
    drop(server);

    let (mut server, mut client, mut accepted) = connected(&place).await;
    assert_eq!(server.state(), SocketState::Listening);
    server.listen().unwrap();
    assert_eq!(
        (client.state(), accepted.state()),
        (SocketState::Connected, SocketState::Connected)
    );
    assert_eq!(client.peer(), server.local());
    assert_eq!(client.local(), accepted.peer());

    assert_eq!(client.send(b"ping").await.unwrap(), 4);
    assert_eq!(accepted.recv(2).await.unwrap(), "pi");
    assert_eq!(accepted.recv(100).await.unwrap(), "ng");
    assert_eq!(accepted.send(b"pong").await.unwrap(), 4);
    assert_eq!(client.recv(100).await.unwrap(), "pong");

    client.close().await.unwrap();
    assert_eq!(
        (client.state(), client.local(), client.peer()),
        (SocketState::Closed, None, None)
    );
    // The end comes again each time.
    for _ in 0..3 {
        assert_eq!(accepted.recv(100).await.unwrap(), "");
    }
    accepted.close().await.unwrap();
    server.close().await.unwrap();
    assert_eq!(
        Socket::new(&place.net).connect(&to).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
}

async fn large_data_sent_before_a_close_arrive_whole_at_a_slow_reader(place: Place) {
    let (_server, mut client, mut accepted) = connected(&place).await;
    let data = pattern(5_000_000);
    let sent = data.clone();
    let sending = place
        .net
        .spawn(async move {
            client.send(&sent).await?;
            client.close().await
        })
        .unwrap();
    let mut received = Vec::new();
    loop {
        let some = accepted.recv(1 << 16).await.unwrap();
        if some.is_empty() {
            break;
        }
        received.extend_from_slice(&some);
        tokio::task::yield_now().await;
    }
    sending.await.unwrap().unwrap();
    assert!(received == data);
}

async fn a_half_closed_socket_still_receives(place: Place) {
    let (_server, mut client, mut accepted) = connected(&place).await;
    client.send(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(client.state(), SocketState::ShutDown);
    client.shutdown().await.unwrap();
    assert_eq!(client.send(b"x").await.unwrap_err().kind(), ErrorKind::WrongState);
    assert_eq!(accepted.recv(100).await.unwrap(), "question");
    assert_eq!(accepted.recv(100).await.unwrap(), "");
    accepted.send(b"answer").await.unwrap();
    accepted.close().await.unwrap();
    assert_eq!(client.recv(100).await.unwrap(), "answer");
    assert_eq!(client.recv(100).await.unwrap(), "");
    client.close().await.unwrap();
}

async fn closing_again_is_harmless_in_every_state(place: Place) {
    let mut created = Socket::new(&place.net);
    let mut bound = Socket::new(&place.net);
    bound.bind(&place.endpoint).await.unwrap();
    bound.close().await.unwrap();
    let (server, client, mut shut_down) = connected(&place).await;
    shut_down.shutdown().await.unwrap();
    created.close().await.unwrap();
    for mut socket in [created, bound, server, client, shut_down] {
        socket.close().await.unwrap();
        socket.close().await.unwrap();
        assert_eq!(socket.state(), SocketState::Closed);
    }
}

const STATES: [SocketState; 6] = [
    SocketState::Created,
    SocketState::Bound,
    SocketState::Listening,
    SocketState::Connected,
    SocketState::ShutDown,
    SocketState::Closed,
];

const CALLS: [Operation; 8] = [
    Operation::Bind,
    Operation::Listen,
    Operation::Accept,
    Operation::Connect,
    Operation::Read,
    Operation::Write,
    Operation::Shutdown,
    Operation::Close,
];

/// Where a call leads, if it fits.
fn leads_to(state: SocketState, call: Operation) -> Option<SocketState> {
    use SocketState as S;
    match (state, call) {
        (S::Created, Operation::Bind) => Some(S::Bound),
        (S::Created | S::Bound, Operation::Connect) => Some(S::Connected),
        (S::Bound | S::Listening, Operation::Listen) => Some(S::Listening),
        (S::Listening, Operation::Accept) => Some(S::Listening),
        (S::Connected, Operation::Read | Operation::Write) => Some(S::Connected),
        (S::ShutDown, Operation::Read) => Some(S::ShutDown),
        (S::Connected | S::ShutDown, Operation::Shutdown) => Some(S::ShutDown),
        (_, Operation::Close) => Some(S::Closed),
        _ => None,
    }
}

/// A network with something to connect to; the socket's own endpoint is another.
const THERE: &str = "mem:there";

async fn socket_in(net: &Net, state: SocketState) -> Socket {
    let (mut socket, there) = (Socket::new(net), THERE.parse::<Endpoint>().unwrap());
    match state {
        SocketState::Created => {}
        SocketState::Bound => socket.bind(&"mem:here".parse().unwrap()).await.unwrap(),
        SocketState::Listening => {
            socket.bind(&"mem:here".parse().unwrap()).await.unwrap();
            socket.listen().unwrap();
        }
        SocketState::Connected => socket.connect(&there).await.unwrap(),
        SocketState::ShutDown => {
            socket.connect(&there).await.unwrap();
            socket.shutdown().await.unwrap();
        }
        _ => socket.close().await.unwrap(),
    }
    assert_eq!(socket.state(), state);
    socket
}

async fn each_call_in_each_state_works_or_is_a_typed_error_that_leaves_the_socket_as_it_was() {
    let net = net();
    let mut there = net.bind(&THERE.parse().unwrap()).await.unwrap();
    net.spawn(async move {
        let mut open = Vec::new();
        loop {
            let mut stream = there.accept().await?;
            // A socket that is closed at once is no fault.
            let _ = stream.write_all(b"hello").await;
            open.push(stream);
            if open.len() > 1000 {
                return Ok::<_, net_core::Error>(());
            }
        }
    })
    .unwrap();
    for state in STATES {
        for call in CALLS {
            let mut socket = socket_in(&net, state).await;
            let knock = (state == SocketState::Listening).then(|| {
                let net = net.clone();
                net.clone()
                    .spawn(async move { net.connect(&"mem:here".parse().unwrap()).await })
                    .unwrap()
            });
            let outcome = match call {
                Operation::Bind => socket.bind(&"mem:new".parse().unwrap()).await,
                Operation::Listen => socket.listen(),
                Operation::Accept => socket.accept().await.map(drop),
                Operation::Connect => socket.connect(&THERE.parse().unwrap()).await,
                Operation::Read => socket.recv(10).await.map(drop),
                Operation::Write => socket.send(b"x").await.map(drop),
                Operation::Shutdown => socket.shutdown().await,
                _ => socket.close().await,
            };
            let expected = leads_to(state, call);
            assert_eq!(state.after(call).ok(), expected, "{call} when {state}");
            match expected {
                Some(next) => {
                    outcome.unwrap_or_else(|error| panic!("{call} when {state}: {error}"));
                    assert_eq!(socket.state(), next, "{call} when {state}");
                }
                None => {
                    let error = outcome.expect_err("a wrong call");
                    assert_eq!((error.kind(), error.operation()), (ErrorKind::WrongState, call));
                    // It names the call and the state, and says what to do instead.
                    let text = error.to_string();
                    assert!(
                        text.contains(&format!("can't {call} a socket that is {state}: ")),
                        "{text}"
                    );
                    assert_eq!(socket.state(), state, "{call} when {state}");
                }
            }
            drop(socket);
            if let Some(knock) = knock {
                let _ = knock.await;
            }
        }
    }
}

async fn a_bound_socket_that_connects_keeps_its_local_port() {
    let net = net();
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut socket = Socket::new(&net);
    socket.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let local = socket.local().unwrap().clone();
    socket.connect(listener.local()).await.unwrap();
    assert_eq!(socket.local(), Some(&local));
    assert_eq!(listener.accept().await.unwrap().peer(), &local);
}

async fn a_connect_that_fails_can_be_tried_again() {
    let place = Place::new(common::place::Transport::Memory);
    let mut socket = Socket::new(&place.net);
    assert_eq!(
        socket.connect(&place.endpoint).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    let _listener = place.listen().await;
    socket.connect(&place.endpoint).await.unwrap();
}

async fn a_peer_that_never_closes_is_left_after_the_linger_time() {
    let place = Place::new(common::place::Transport::Memory);
    let mut listener = place.listen().await;
    let mut socket = Socket::with_options(&place.net, ConnectOptions::default(), BindOptions::default())
        .linger(Duration::from_secs(3));
    socket.connect(&place.endpoint).await.unwrap();
    let _stubborn = listener.accept().await.unwrap();
    let before = place.net.now();
    socket.close().await.unwrap();
    // The call itself waits for nothing.
    assert_eq!((place.net.now(), place.net.stats().open()), (before, 2));
    place.net.sleep(Duration::from_secs(4)).await;
    assert_eq!(place.net.stats().open(), 1);
}

async fn a_reset_by_the_peer_is_told_by_the_next_call() {
    let place = Place::new(common::place::Transport::Tcp);
    let mut listener = place.listen().await;
    let mut socket = Socket::new(&place.net);
    socket.connect(listener.local()).await.unwrap();
    listener.accept().await.unwrap().reset();
    let error = socket.recv(100).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Reset, Operation::Read));
    assert_eq!(error.endpoint(), Some(listener.local()));
    let _ = socket.close().await;
    assert_eq!(socket.state(), SocketState::Closed);
}

async fn a_bound_socket_whose_connect_fails_is_still_bound_and_tries_again_from_there() {
    let net = net();
    let at: Endpoint = "tcp://127.0.0.2:0".parse().unwrap();
    let gone = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let nobody = gone.local().clone();
    drop(gone);
    let mut socket = Socket::new(&net);
    socket.bind(&at).await.unwrap();
    let local = socket.local().unwrap().clone();
    let error = socket.connect(&nobody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!((socket.state(), socket.local()), (SocketState::Bound, Some(&local)));
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    socket.connect(listener.local()).await.unwrap();
    assert_eq!(socket.local(), Some(&local));
    assert_eq!(listener.accept().await.unwrap().peer(), &local);
}

async fn a_bound_socket_whose_connect_fails_holds_its_address_again() {
    let net = net();
    let (here, there) = ("mem:here".parse().unwrap(), THERE.parse().unwrap());
    let mut socket = Socket::new(&net);
    socket.bind(&here).await.unwrap();
    assert_eq!(socket.connect(&there).await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(net.bind(&here).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    socket.listen().unwrap();
    net.connect(&here).await.unwrap();
}

async fn a_bound_socket_whose_connect_is_given_up_knows_its_address_still() {
    let net = net();
    let (here, there): (Endpoint, Endpoint) = ("mem:here".parse().unwrap(), THERE.parse().unwrap());
    // Its backlog is full, so connecting waits.
    let options = BindOptions::default().socket(net_core::SocketOptions::default().backlog(1));
    let mut busy = net.bind_with(&there, &options).await.unwrap();
    let _first = net.connect(&there).await.unwrap();
    let given_up = async || {
        let mut socket = Socket::new(&net);
        socket.bind(&here).await.unwrap();
        assert!(common::poll_once(&mut Box::pin(socket.connect(&there))).await.is_none());
        assert_eq!((socket.state(), socket.local()), (SocketState::Bound, Some(&here)));
        socket
    };
    // It can listen,
    let mut socket = given_up().await;
    socket.listen().unwrap();
    net.connect(&here).await.unwrap();
    drop(socket);
    // or connect after all,
    let mut socket = given_up().await;
    busy.accept().await.unwrap();
    socket.connect(&there).await.unwrap();
    // or hear that somebody else has its address by now.
    let mut socket = given_up().await;
    let _other = net.bind(&here).await.unwrap();
    assert_eq!(socket.listen().unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!((socket.state(), socket.local()), (SocketState::Bound, Some(&here)));
}

async fn receiving_nothing_is_done_at_once_and_waiting_for_much_takes_no_memory() {
    let place = Place::new(common::place::Transport::Memory);
    let mut listener = place.listen().await;
    let mut socket = Socket::new(&place.net);
    socket.connect(&place.endpoint).await.unwrap();
    let mut peer = listener.accept().await.unwrap();
    assert_eq!(socket.recv(0).await.unwrap(), "");
    let mut cx = Context::from_waker(Waker::noop());
    let waiting = allocation_counter::measure(|| assert!(socket.poll_recv(&mut cx, 1 << 20).is_pending()));
    assert_eq!(waiting.count_total, 0);
    peer.write_all(b"abc").await.unwrap();
    assert_eq!(socket.recv(0).await.unwrap(), "");
    let receiving = allocation_counter::measure(|| {
        let Poll::Ready(Ok(data)) = socket.poll_recv(&mut cx, 1 << 20) else {
            panic!("nothing came");
        };
        assert_eq!(data, "abc");
    });
    assert!(receiving.bytes_max < 1000, "{receiving:?}");
}

/// A client under TLS that has sent more than its peer, which never reads, takes; over a pipe in memory.
#[cfg(feature = "tls")]
async fn stuck_under_tls(linger: Duration) -> (Net, Socket, net_core::Stream) {
    let (tls_server, tls_client) = common::certificates::trusting();
    let (net, mut server, _) = common::scripted::one_connection(&net());
    let options = ConnectOptions::default().tls(tls_client);
    let mut socket = Socket::with_options(&net, options, BindOptions::default()).linger(linger);
    let to: Endpoint = "tls://127.0.0.1:80".parse().unwrap();
    let (connected, accepted) = tokio::join!(socket.connect(&to), server.upgrade_tls_server(&tls_server));
    connected.unwrap();
    accepted.unwrap();
    let data = vec![0; 1 << 20];
    assert!(net.timeout(Duration::from_secs(1), socket.send(&data)).await.is_err());
    (net, socket, server)
}

#[cfg(feature = "tls")]
async fn closing_over_tls_waits_for_no_peer_that_never_reads() {
    let (net, mut socket, _server) = stuck_under_tls(Duration::from_secs(3)).await;
    let before = net.now();
    net.timeout(Duration::from_secs(60), socket.close())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((net.now(), net.stats().open()), (before, 1));
    net.sleep(Duration::from_secs(4)).await;
    assert_eq!(net.stats().open(), 0);
}

#[cfg(feature = "tls")]
async fn a_shutdown_over_tls_waits_for_a_peer_that_never_reads_no_longer_than_the_linger_time() {
    let (net, mut socket, _server) = stuck_under_tls(Duration::from_secs(3)).await;
    let before = net.now();
    let error = socket.shutdown().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout(net_core::TimeoutKind::Write), Operation::Shutdown)
    );
    assert_eq!(net.now() - before, Duration::from_secs(3));
    assert_eq!(socket.state(), SocketState::Connected);
}
