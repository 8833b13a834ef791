//! TCP as a program sees it: connecting, data, ends and errors.

mod network_common;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use net_core::framing::Line;
use net_core::{BindOptions, ConnectOptions, Endpoint, ErrorKind, Framed, Host, Instant, SocketOptions};
use network_common::{Pair, ms};
use sim_io::Environment;
use sim_io::network::{Link, Network};
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
fn d14_nothing_listens_is_refused_after_a_round_trip() {
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

#[test]
fn an_address_without_a_host_is_unreachable() {
    let pair = Pair::new(1, ms(15));
    let client = pair.client.net();
    pair.run(async move {
        let error = client.connect(&"tcp://10.99.0.1:1".parse()?).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        let error = client.connect(&"tcp://nobody:1".parse()?).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve);
        Ok(())
    });
}

#[test]
fn d14_bound_but_not_listening_is_refused() {
    let pair = Pair::new(1, ms(1));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let address = net_core::Address::Ip("10.0.0.2:80".parse()?);
        let options = SocketOptions::default();
        let mut raw = server.backend().bind(&address, &options).await?;
        let to = "tcp://server:80".parse()?;
        assert_eq!(client.connect(&to).await.unwrap_err().kind(), ErrorKind::Refused);
        raw.listen(1)?;
        client.connect(&to).await?;
        Ok(())
    });
}

#[test]
fn d13_d14_addresses_are_like_linux() {
    let pair = Pair::new(1, ms(1));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:0".parse()?).await?;
        let port = listener.local().port().unwrap();
        assert!(port >= 32_768);
        let near = client
            .connect(&Endpoint::Tcp(Host::Name("server".into()), port))
            .await?;
        let far = listener.accept().await?;
        // The accepted socket has the listener's port, and an address instead of "any".
        assert_eq!(far.local().to_string(), format!("tcp://10.0.0.2:{port}"));
        assert_eq!(far.local(), near.peer());
        assert_eq!(far.peer(), near.local());
        assert!(near.local().to_string().starts_with("tcp://10.0.0.1:"));

        let busy = Endpoint::Tcp(Host::Ip("10.0.0.2".parse()?), port);
        assert_eq!(server.bind(&busy).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        let foreign = "tcp://10.0.0.1:0".parse()?;
        assert_eq!(
            server.bind(&foreign).await.unwrap_err().kind(),
            ErrorKind::AddrNotAvailable
        );
        // A closed listener's port is free at once, open connections or not.
        drop(listener);
        server.bind(&busy).await?;
        drop((near, far));
        Ok(())
    });
}

#[test]
fn a_port_is_kept_for_a_while_after_its_server_closed_first() {
    // As Linux shows it: without SO_REUSEADDR a restarted server does not get its port back for a minute.
    let pair = Pair::new(1, ms(1));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let at: Endpoint = "tcp://0.0.0.0:80".parse()?;
        let plain = BindOptions::default().socket(SocketOptions::default().reuse_address(false));
        for (old, new, kept) in [(true, true, false), (true, false, true), (false, true, true)] {
            let [old, new] =
                [old, new].map(|on| BindOptions::default().socket(SocketOptions::default().reuse_address(on)));
            let mut listener = server.bind_with(&at, &old).await?;
            let mut near = client.connect(&"tcp://server:80".parse()?).await?;
            let mut far = listener.accept().await?;
            drop(listener);
            // The connection itself keeps it too.
            assert_eq!(server.bind_with(&at, &new).await.is_err(), kept);
            far.shutdown().await?;
            assert_eq!(near.read(&mut [0; 1]).await?, 0);
            drop(near);
            drop(far);
            client.sleep(Duration::from_secs(59)).await;
            let again = server.bind_with(&at, &new).await;
            assert_eq!(again.is_err(), kept);
            if let Err(error) = &again {
                assert_eq!(error.kind(), ErrorKind::AddrInUse);
            }
            drop(again);
            client.sleep(Duration::from_secs(2)).await;
            server.bind_with(&at, &plain).await?;
        }

        // Not after the client closed first, nor after a reset.
        for reset in [false, true] {
            let mut listener = server.bind_with(&at, &plain).await?;
            let near = client.connect(&"tcp://server:80".parse()?).await?;
            let mut far = listener.accept().await?;
            drop(listener);
            if reset {
                far.reset();
            } else {
                drop(near);
                assert_eq!(far.read(&mut [0; 1]).await?, 0);
                drop(far);
            }
            client.sleep(ms(10)).await;
            server.bind_with(&at, &plain).await?;
        }
        Ok(())
    });
}

#[test]
fn a_clients_port_is_kept_for_its_server_after_it_closed_first() {
    let pair = Pair::new(1, ms(1));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let mut listeners = [
            server.bind(&"tcp://0.0.0.0:80".parse()?).await?,
            server.bind(&"tcp://0.0.0.0:81".parse()?).await?,
        ];
        let [one, two]: [Endpoint; 2] = ["tcp://server:80".parse()?, "tcp://server:81".parse()?];
        let from = ConnectOptions::default().local("0.0.0.0:5000".parse()?);
        let near = client.connect_with(&one, &from).await?;
        let mut far = listeners[0].accept().await?;
        // One port serves for several servers, but once for each.
        let error = client.connect_with(&one, &from).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        drop(client.connect_with(&two, &from).await?);
        drop(near);
        assert_eq!(far.read(&mut [0; 1]).await?, 0);
        drop(far);
        client.sleep(Duration::from_secs(59)).await;
        let error = client.connect_with(&one, &from).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        client.sleep(Duration::from_secs(2)).await;
        client.connect_with(&one, &from).await?;
        Ok(())
    });
}

#[test]
fn hosts_may_have_several_addresses() {
    let env = Environment::new();
    let network = Network::new(&env);
    let six: IpAddr = "fd00::1".parse().unwrap();
    let server = network
        .add_host("server", &["192.168.7.1".parse().unwrap(), six])
        .unwrap();
    let client = network.add_host("client", &["192.168.7.2".parse().unwrap(), "fd00::2".parse().unwrap()]);
    assert_eq!(server.addresses()[1], six);
    assert!(network.add_host("other", &[six]).is_err());
    assert!(network.add_host("server", &[]).is_err());
    assert!(network.host("no name").is_err());
    let (server, client) = (server.net(), client.unwrap().net());
    let done = env.process(async move {
        let mut listener = server.bind(&"tcp://[::]:80".parse().unwrap()).await.unwrap();
        let near = client.connect(&"tcp://[fd00::1]:80".parse().unwrap()).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().peer(), near.local());
        // IPv6's "any" takes IPv4 too.
        client.connect(&"tcp://SERVER:80".parse().unwrap()).await.unwrap();
        listener.accept().await.unwrap();
    });
    env.run_until(&done).unwrap();
}

#[test]
fn d14_a_full_backlog_makes_clients_wait_and_then_give_up() {
    let pair = Pair::new(1, ms(10));
    let (client, server) = (pair.client.net(), pair.server.net());
    let network = pair.network.clone();
    pair.run(async move {
        let options = BindOptions::default().socket(SocketOptions::default().backlog(1));
        let mut listener = server.bind_with(&"tcp://0.0.0.0:80".parse()?, &options).await?;
        let to: Endpoint = "tcp://server:80".parse()?;
        // As on Linux, one more than the backlog finds room.
        let first = client.connect(&to).await?;
        let second = client.connect(&to).await?;
        let error = client.connect(&to).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)));
        assert!(network.stats().overflows >= 3);
        // Room again: the next try of the handshake gets in.
        let third = client.spawn({
            let (client, to) = (client.clone(), to.clone());
            async move { client.connect(&to).await }
        })?;
        client.sleep(ms(500)).await;
        drop((listener.accept().await?, listener.accept().await?));
        third.await??;
        drop((first, second));
        Ok(())
    });
}

#[test]
fn d15_closing_a_listener_resets_who_was_not_accepted() {
    let pair = Pair::new(1, ms(10));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let listener = server.bind(&"tcp://0.0.0.0:80".parse()?).await?;
        let mut near = client.connect(&"tcp://server:80".parse()?).await?;
        client.sleep(ms(50)).await;
        drop(listener);
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn a_hard_drop_is_a_reset_after_what_has_left() {
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        near.write_all(b"last words").await?;
        near.reset();
        let mut words = [0; 10];
        far.read_exact(&mut words).await?;
        assert_eq!(
            far.read(&mut words).await.unwrap_err().kind(),
            io::ErrorKind::ConnectionReset
        );
        // Told once; then, as on Linux, the end and a broken pipe.
        assert_eq!(far.read(&mut words).await?, 0);
        assert_eq!(far.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
}

#[test]
fn dropping_with_unread_data_is_a_reset() {
    let pair = Pair::new(1, ms(10));
    let (mut near, far) = pair.connected();
    pair.run(async move {
        let net = near.net();
        near.write_all(b"unread").await?;
        net.sleep(ms(20)).await;
        drop(far);
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn writing_to_a_closed_peer_is_told_a_round_trip_later() {
    let pair = Pair::new(1, ms(10));
    let (mut near, far) = pair.connected();
    pair.run(async move {
        let net = near.net();
        drop(far);
        assert_eq!(near.read(&mut [0; 4]).await?, 0);
        near.write_all(b"into the void").await?;
        net.sleep(ms(30)).await;
        assert_eq!(near.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
    pair.env.run().unwrap();
}

#[test]
fn d04_data_written_before_the_close_arrive() {
    // What the original lost: write, close, and only then a read.
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        let net = far.net();
        near.write_all(&[5; 200_000]).await?;
        drop(near);
        net.sleep(Duration::from_secs(1)).await;
        let mut data = Vec::new();
        far.read_to_end(&mut data).await?;
        assert_eq!(data.len(), 200_000);
        Ok(())
    });
}

#[test]
fn own_shutdown_ends_writing_only() {
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        near.shutdown().await?;
        assert_eq!(near.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(far.read(&mut [0; 4]).await?, 0);
        far.write_all(b"answer").await?;
        let mut answer = [0; 6];
        near.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"answer");
        Ok(())
    });
}

#[test]
fn five_megabytes_arrive_whole_under_loss_with_a_slow_reader() {
    let link = Link::default()
        .latency(ms(10))
        .jitter(ms(5))
        .bandwidth(100_000_000)
        .loss(0.01)
        .corrupt(0.002)
        .reorder(0.01, ms(3))
        .duplicate(0.01);
    let pair = Pair::linked(9, link);
    let (mut near, mut far) = pair.connected();
    let data: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = data.clone();
    pair.env.process(async move {
        near.write_all(&data).await.unwrap();
        near.shutdown().await.unwrap();
        assert_eq!(near.read(&mut [0; 1]).await.unwrap(), 0);
    });
    pair.run(async move {
        let net = far.net();
        let mut arrived = Vec::new();
        let mut piece = vec![0; 40_000];
        loop {
            let n = far.read(&mut piece).await?;
            if n == 0 {
                break;
            }
            arrived.extend_from_slice(&piece[..n]);
            net.sleep(ms(2)).await;
        }
        assert!(arrived == expected);
        Ok(())
    });
    pair.env.run().unwrap();
    assert!(pair.network.stats().retransmissions > 5);
}

#[test]
fn reading_and_writing_at_once() {
    let pair = Pair::new(1, ms(10));
    let (near, far) = pair.connected();
    let (mut read, mut write) = tokio::io::split(near);
    let (mut far_read, mut far_write) = tokio::io::split(far);
    let pump = pair.env.process(async move {
        tokio::io::copy(&mut far_read, &mut far_write).await.unwrap();
        far_write.shutdown().await.unwrap();
    });
    pair.env.process(async move {
        write.write_all(&vec![3; 3_000_000]).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let count = pair.run(async move {
        let mut back = Vec::new();
        Ok(read.read_to_end(&mut back).await?)
    });
    assert_eq!(count, 3_000_000);
    pair.env.run_until(&pump).unwrap();
}

#[test]
fn unix_sockets_belong_to_their_host() {
    let pair = Pair::new(1, ms(10));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let at: Endpoint = "unix:/run/tool.sock".parse()?;
        let mut listener = server.bind(&at).await?;
        assert_eq!(server.bind(&at).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(client.connect(&at).await.unwrap_err().kind(), ErrorKind::Refused);
        let mut near = server.connect(&at).await?;
        let mut far = listener.accept().await?;
        near.write_all(b"x").await?;
        assert_eq!(far.read_u8().await?, b'x');
        assert_eq!(far.local(), &at);
        drop(listener);
        assert_eq!(server.connect(&at).await.unwrap_err().kind(), ErrorKind::Refused);
        Ok(())
    });
}

#[test]
fn on_another_thread_there_is_an_error() {
    let pair = Pair::new(1, ms(10));
    let net = pair.client.net();
    let (mut near, _far) = pair.connected();
    std::thread::spawn(move || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let endpoint = "tcp://server:1".parse().unwrap();
        let std::task::Poll::Ready(Err(error)) = std::pin::pin!(net.connect(&endpoint)).poll(&mut context) else {
            panic!("no error");
        };
        assert!(format!("{error:#}").contains("another thread"), "{error:#}");
        let std::task::Poll::Ready(Err(error)) = std::pin::pin!(near.write(b"x")).poll(&mut context) else {
            panic!("no error");
        };
        assert!(error.to_string().contains("write"), "{error}");
    })
    .join()
    .unwrap();
}

#[test]
fn nothing_outlives_the_environment() {
    let pair = Pair::new(1, ms(10));
    let net = pair.client.net();
    let (near, far) = pair.connected();
    drop(pair);
    drop((near, far));
    assert_eq!(net.now(), Instant::ZERO);
}

#[test]
fn wakers_of_others_are_heard() {
    // As sets of futures do: each member has a waker of its own, which wakes the whole.
    struct Member(std::sync::Mutex<Option<std::task::Waker>>, std::sync::atomic::AtomicU32);
    impl std::task::Wake for Member {
        fn wake(self: std::sync::Arc<Self>) {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if let Some(outer) = self.0.lock().unwrap().take() {
                outer.wake();
            }
        }
    }
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        let net = near.net();
        let member = std::sync::Arc::new(Member(std::sync::Mutex::default(), 0.into()));
        let waker = std::task::Waker::from(std::sync::Arc::clone(&member));
        near.write_all(b"x").await?;
        for work in [
            Box::pin(async move { far.read_u8().await.map(drop) }) as std::pin::Pin<Box<dyn Future<Output = _>>>,
            Box::pin(async move {
                net.sleep(ms(5)).await;
                Ok(())
            }),
        ] {
            let mut work = work;
            std::future::poll_fn(|cx| {
                *member.0.lock().unwrap() = Some(cx.waker().clone());
                work.as_mut().poll(&mut std::task::Context::from_waker(&waker))
            })
            .await?;
        }
        assert_eq!(member.1.load(std::sync::atomic::Ordering::Relaxed), 2);
        Ok(())
    });
}
