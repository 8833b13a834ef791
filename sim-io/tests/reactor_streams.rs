//! Connections over the operating system's sockets, on each poller.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::io::IoSlice;
use std::time::Duration;

use net_core::{Endpoint, ErrorKind, SocketOptions};
use reactor_common::{connected, loopback, pair, real, run};
use sim_io::reactor::Poller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_poller!(
    many_connections_talk_at_once,
    an_end_comes_behind_the_data_and_a_reset_is_an_error,
    one_direction_ends_and_the_other_goes_on,
    nothing_listens_there,
    what_a_slow_reader_leaves_waits_and_nothing_is_lost,
    several_slices_are_one_write,
    the_addresses_are_the_real_ones,
    a_unix_socket_with_a_path_and_one_without,
    a_listener_on_the_same_port_again,
    reading_and_writing_wait_at_the_same_time,
);

fn many_connections_talk_at_once(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let there = env.event::<Endpoint>();
    let (server, address) = (net.clone(), there.clone());
    env.named_process("server", async move {
        let mut listener = server.bind(&loopback()).await.unwrap();
        address.succeed(listener.local().clone()).unwrap();
        loop {
            let mut stream = listener.accept().await.unwrap();
            server
                .spawn(async move {
                    let mut bytes = [0; 8];
                    while stream.read_exact(&mut bytes).await.is_ok() {
                        stream.write_all(&bytes).await.unwrap();
                    }
                })
                .unwrap();
        }
    });
    let clients: Vec<_> = (0..40_u64)
        .map(|client| {
            let (net, there) = (net.clone(), there.clone());
            env.process(async move {
                let mut stream = net.connect(&there.await.unwrap()).await.unwrap();
                for round in 0..20_u64 {
                    let said = client * 100 + round;
                    stream.write_all(&said.to_be_bytes()).await.unwrap();
                    assert_eq!(stream.read_u64().await.unwrap(), said);
                }
                stream.close(Duration::from_secs(60)).await.unwrap();
                1
            })
        })
        .collect();
    let all: i32 = clients.iter().map(|client| env.run_until(client).unwrap()).sum();
    assert_eq!(all, 40);
}

/// d05: the original calls every end a reset.
fn an_end_comes_behind_the_data_and_a_reset_is_an_error(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let (mut near, mut far) = connected(&net, &loopback()).await;
        near.write_all(b"last words").await.unwrap();
        drop(near);
        let mut data = Vec::new();
        far.read_to_end(&mut data).await.unwrap();
        assert_eq!(data, b"last words");
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0, "the end stays");

        let (near, mut far) = connected(&net, &loopback()).await;
        near.reset();
        let error = far.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    });
}

fn one_direction_ends_and_the_other_goes_on(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let (mut near, mut far) = connected(&net, &loopback()).await;
        near.write_all(b"question").await.unwrap();
        near.shutdown().await.unwrap();
        assert_eq!(
            near.write_all(b"more").await.unwrap_err().kind(),
            std::io::ErrorKind::BrokenPipe
        );
        let mut data = Vec::new();
        far.read_to_end(&mut data).await.unwrap();
        assert_eq!(data, b"question");
        far.write_all(b"answer").await.unwrap();
        drop(far);
        data.clear();
        near.read_to_end(&mut data).await.unwrap();
        assert_eq!(data, b"answer");
    });
}

fn nothing_listens_there(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let listener = net.bind(&loopback()).await.unwrap();
        let gone = listener.local().clone();
        drop(listener);
        let error = net.connect(&gone).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.endpoint(), Some(&gone));

        let nowhere = "unix:@nobody-listens-there".parse().unwrap();
        let error = net.connect(&nowhere).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
    });
}

/// Far more than the buffers hold, so that the writer has to wait for room again and again.
fn what_a_slow_reader_leaves_waits_and_nothing_is_lost(poller: Poller) {
    const BYTES: usize = 2 << 20;
    let env = real(poller);
    let (mut near, mut far) = pair(&env);
    env.named_process("writer", async move {
        let data: Vec<u8> = (0..BYTES).map(|i| (i % 251) as u8).collect();
        near.write_all(&data).await.unwrap();
    });
    run(&env, {
        let env = env.clone();
        async move {
            let mut chunk = vec![0; 100_000];
            let mut count = 0;
            loop {
                let n = far.read(&mut chunk).await.unwrap();
                if n == 0 {
                    break;
                }
                assert!(chunk[..n].iter().zip(count..).all(|(byte, i)| *byte == (i % 251) as u8));
                count += n;
                if count % 7 == 0 {
                    env.timeout(Duration::from_micros(100)).await;
                }
            }
            assert_eq!(count, BYTES);
        }
    });
}

fn several_slices_are_one_write(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let (mut near, mut far) = connected(&net, &loopback()).await;
        let slices = [IoSlice::new(b"he"), IoSlice::new(b""), IoSlice::new(b"llo")];
        assert_eq!(near.write_vectored(&slices).await.unwrap(), 5);
        // More slices than the system takes at once: a short write, and no error.
        let many = vec![IoSlice::new(b"x"); 3000];
        let n = near.write_vectored(&many).await.unwrap();
        assert!((1..=3000).contains(&n));
        near.shutdown().await.unwrap();
        let mut data = Vec::new();
        far.read_to_end(&mut data).await.unwrap();
        assert_eq!(&data[..5], b"hello");
        assert_eq!(data.len(), 5 + n);
    });
}

fn the_addresses_are_the_real_ones(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        for at in ["tcp://127.0.0.1:0", "tcp://0.0.0.0:0", "tcp://[::1]:0"] {
            let mut listener = net.bind(&at.parse().unwrap()).await.unwrap();
            let mut to = listener.local().socket_addr().unwrap();
            assert_ne!(to.port(), 0);
            if to.ip().is_unspecified() {
                to.set_ip("127.0.0.1".parse().unwrap());
            }
            let near = net.connect(&Endpoint::tcp(to)).await.unwrap();
            let far = listener.accept().await.unwrap();
            assert_eq!(near.peer(), &Endpoint::tcp(to));
            assert_eq!(far.local(), &Endpoint::tcp(to));
            assert_eq!(far.peer(), near.local());
        }
    });
}

fn a_unix_socket_with_a_path_and_one_without(poller: Poller) {
    let folder = std::env::temp_dir().join(format!("sim-io-reactor-{}-{poller:?}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("socket");
    let name = format!("unix:@sim-io-reactor-{}-{poller:?}", std::process::id());
    for at in [format!("unix:{}", path.display()), name] {
        let env = real(poller);
        let net = env.net();
        run(&env, async move {
            let at = at.parse().unwrap();
            let mut listener = net.bind(&at).await.unwrap();
            let mut near = net.connect(&at).await.unwrap();
            let mut far = listener.accept().await.unwrap();
            near.write_all(b"hello").await.unwrap();
            let mut bytes = [0; 5];
            far.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"hello");
            let error = net.bind(&at).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
        });
    }
    assert!(!path.exists(), "the listener takes its file with it");
    std::fs::remove_dir_all(folder).unwrap();
}

fn a_listener_on_the_same_port_again(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let mut listener = net.bind(&loopback()).await.unwrap();
        let at = listener.local().clone();
        assert_eq!(net.bind(&at).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        let near = net.connect(&at).await.unwrap();
        // Closed by us, so that the port is left with a connection in TIME_WAIT.
        drop(listener.accept().await.unwrap());
        drop(listener);
        drop(near);
        net.bind(&at).await.unwrap();
    });
}

/// Each side of a socket has a waiter of its own.
fn reading_and_writing_wait_at_the_same_time(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, {
        let env = env.clone();
        async move {
            let options = net_core::ConnectOptions::default();
            let mut listener = net.bind(&loopback()).await.unwrap();
            let small = SocketOptions::default().send_buffer(4096);
            let near = net
                .connect_with(listener.local(), &options.socket(small))
                .await
                .unwrap();
            let mut far = listener.accept().await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(near);
            let reads = env.named_process("reader", async move { reader.read_u8().await.unwrap() });
            let writes = env.named_process("writer", async move { writer.write_all(&[7; 1 << 20]).await.unwrap() });
            // Both wait now, for the other end does nothing.
            env.timeout(Duration::from_millis(1)).await;
            assert!(reads.is_alive() && writes.is_alive());
            far.write_all(&[9]).await.unwrap();
            assert_eq!(reads.await.unwrap(), 9);
            let mut all = vec![0; 1 << 20];
            far.read_exact(&mut all).await.unwrap();
            writes.await.unwrap();
        }
    });
}
