//! Packets: their bytes, their limits, their halves, and what a bad peer can do.

mod protocol_common;

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use net_core::{ErrorKind, TimeoutKind};
use proptest::prelude::*;
use protocol_common::{everywhere, in_memory, on_tokio, on_virtual, read_to_end};
use sim_io::packet::{Packet, PacketOptions, PacketUtf8};
use tokio::io::AsyncWriteExt;

#[test]
fn a_packet_is_a_length_and_bytes() {
    everywhere(async |near, mut far| {
        let mut packets = Packet::new(near);
        packets.write("ohai").await.unwrap();
        packets.write("").await.unwrap();
        drop(packets);
        assert_eq!(read_to_end(&mut far).await, b"\0\0\0\x04ohai\0\0\0\0");
    });
}

#[test]
fn packets_arrive_whole_and_an_empty_one_too() {
    everywhere(async |near, far| {
        let (mut near, mut far) = (Packet::new(near), Packet::new(far));
        for packet in ["ohai", "", "cya"] {
            near.push(packet).unwrap();
        }
        near.flush().await.unwrap();
        for packet in ["ohai", "", "cya"] {
            assert_eq!(far.read().await.unwrap().unwrap(), packet);
        }
        near.close(Duration::ZERO).await.unwrap();
        assert_eq!(far.read().await.unwrap(), None);
    });
}

#[test]
fn text_is_text() {
    everywhere(async |near, far| {
        let (mut near, mut far) = (PacketUtf8::new(near), PacketUtf8::new(far));
        near.write("Grüße").await.unwrap();
        assert_eq!(far.read().await.unwrap().as_deref(), Some("Grüße"));
        far.write(String::from("aye")).await.unwrap();
        assert_eq!(near.read_with(str::len).await.unwrap(), Some(3));
    });
}

#[test]
fn a_packet_over_the_limit_is_not_sent_and_the_next_one_is() {
    everywhere(async |near, far| {
        let (mut near, mut far) = (Packet::new(near), Packet::new(far));
        let error = near.write(vec![0; 16_385]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FrameTooLong);
        assert!(
            error.to_string().contains("16385") && error.to_string().contains("16384"),
            "{error}"
        );
        near.write(vec![7; 16_384]).await.unwrap();
        assert_eq!(far.read().await.unwrap().unwrap(), vec![7; 16_384]);
    });
}

#[test]
fn d03_a_length_over_the_limit_fails_that_read_and_closes_that_connection() {
    everywhere(async |near, mut far| {
        let mut packets = Packet::new(near);
        far.write_all(b"\0\0\0\x02ok\xff\xff\xff\xff").await.unwrap();
        assert_eq!(packets.read().await.unwrap().unwrap(), "ok");
        let error = packets.read().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FrameTooLong);
        assert_eq!(error.endpoint(), Some(packets.peer_address()));
        // The connection is closed, though the packets are still held.
        assert_eq!(read_to_end(&mut far).await, b"");
        assert_eq!(packets.read().await.unwrap_err(), error);
        assert_eq!(packets.write("late").await.unwrap_err(), error);
    });
}

#[test]
fn d03_text_that_is_no_utf8_fails_that_read_and_closes_that_connection() {
    everywhere(async |near, mut far| {
        let mut packets = PacketUtf8::new(near);
        far.write_all(b"\0\0\0\x03ab\xff").await.unwrap();
        let error = packets.read().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadFrame);
        assert!(error.to_string().contains("a bad byte at 2"), "{error}");
        assert_eq!(read_to_end(&mut far).await, b"");
        assert_eq!(packets.read().await.unwrap_err(), error);
    });
}

#[test]
fn d05_an_end_inside_a_packet_is_an_error_and_an_end_between_packets_is_not() {
    everywhere(async |near, mut far| {
        let mut packets = Packet::new(near);
        far.write_all(b"\0\0\0\x01a\0\0\0\x04oh").await.unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(packets.read().await.unwrap().unwrap(), "a");
        assert_eq!(packets.read().await.unwrap_err().kind(), ErrorKind::Truncated);
    });
}

#[test]
fn d13_the_peer_address_is_the_peers() {
    on_virtual(async |near, far| {
        let (local, peer) = (near.local().clone(), near.peer().clone());
        let (near, far) = (Packet::new(near), Packet::new(far));
        assert_ne!(local, peer);
        assert_eq!((near.local_address(), near.peer_address()), (&local, &peer));
        assert_eq!((far.local_address(), far.peer_address()), (&peer, &local));
        let (reader, writer) = near.split();
        assert_eq!((reader.local_address(), reader.peer_address()), (&local, &peer));
        assert_eq!((writer.local_address(), writer.peer_address()), (&local, &peer));
    });
}

#[test]
fn d19_a_read_that_is_given_up_loses_nothing() {
    everywhere(async |near, mut far| {
        let mut packets = Packet::new(near);
        far.write_all(b"\0\0\0\x04oh").await.unwrap();
        far.flush().await.unwrap();
        {
            let mut read = Box::pin(packets.read());
            poll_fn(|cx| {
                assert!(read.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        far.write_all(b"ai").await.unwrap();
        assert_eq!(packets.read().await.unwrap().unwrap(), "ohai");
    });
}

#[test]
fn two_processes_use_the_halves_at_once() {
    // More than the buffers between them hold, both ways: whoever only wrote would wait for ever.
    const COUNT: usize = 200;
    everywhere(async |near, far| {
        let both = |packets: Packet| async move {
            let (mut reader, mut writer) = packets.split();
            let reading = async {
                for number in 0..COUNT {
                    assert_eq!(reader.read().await.unwrap().unwrap(), vec![number as u8; 16_000]);
                }
            };
            let writing = async {
                for number in 0..COUNT {
                    writer.write(vec![number as u8; 16_000]).await.unwrap();
                }
            };
            tokio::join!(reading, writing);
        };
        tokio::join!(both(Packet::new(near)), both(Packet::new(far)));
    });
}

#[test]
fn what_is_pushed_leaves_while_the_other_half_waits_to_read() {
    everywhere(async |near, far| {
        let (mut reader, mut writer) = Packet::new(near).split();
        let mut far = Packet::new(far);
        let reading = async { assert_eq!(reader.read().await.unwrap().unwrap(), "answer") };
        let rest = async {
            for packet in ["one", "two", "three"] {
                writer.push(packet).unwrap();
            }
            for packet in ["one", "two", "three"] {
                assert_eq!(far.read().await.unwrap().unwrap(), packet);
            }
            far.write("answer").await.unwrap();
        };
        tokio::join!(reading, rest);
    });
}

#[test]
fn a_flush_that_is_given_up_is_finished_by_the_waiting_read() {
    on_virtual(async |near, far| {
        let net = far.net();
        let (mut reader, mut writer) =
            Packet::with_options(near, PacketOptions::default().max_packet_size(1 << 21)).split();
        let mut far = Packet::with_options(far, PacketOptions::default().max_packet_size(1 << 21));
        let reading = async { assert_eq!(reader.read().await.unwrap().unwrap(), "got it") };
        let rest = async {
            // More than the buffers hold, and nobody reads yet.
            let write = writer.write(vec![1; 1 << 21]);
            assert!(net.timeout(Duration::from_secs(1), write).await.is_err());
            assert_eq!(far.read().await.unwrap().unwrap().len(), 1 << 21);
            far.write("got it").await.unwrap();
        };
        tokio::join!(reading, rest);
    });
}

/// The read takes the connection's room to write for its own process to hear of; the flush is another's.
#[test]
fn a_read_that_is_given_up_leaves_the_waiting_flush_its_turn() {
    on_virtual(async |near, far| {
        let net = far.net();
        let options = PacketOptions::default().max_packet_size(1 << 21);
        let (mut reader, mut writer) = Packet::with_options(near, options.clone()).split();
        let mut far = Packet::with_options(far, options);
        let writing = net.spawn(async move { writer.write(vec![1; 1 << 21]).await }).unwrap();
        net.sleep(Duration::from_secs(1)).await;
        assert!(net.timeout(Duration::from_secs(1), reader.read()).await.is_err());
        let start = net.now();
        assert_eq!(far.read().await.unwrap().unwrap().len(), 1 << 21);
        writing.await.unwrap().unwrap();
        assert!(net.now() - start < Duration::from_secs(1));
    });
}

#[test]
fn what_breaks_the_connection_in_one_half_is_told_to_the_other_that_waits() {
    on_virtual(async |near, far| {
        let net = far.net();
        let (mut reader, mut writer) = Packet::new(near).split();
        let reading = net.spawn(async move { reader.read().await.map(drop) }).unwrap();
        net.sleep(Duration::from_secs(1)).await;
        let broken = loop {
            if let Err(error) = writer.write(vec![0; 16_384]).await {
                break error;
            }
        };
        assert_eq!(broken.kind(), ErrorKind::Timeout(TimeoutKind::Write));
        let heard = net.timeout(Duration::from_secs(1), reading).await;
        assert_eq!(heard.unwrap().unwrap().unwrap_err().kind(), broken.kind());
        drop(far);
    });
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_after_the_write_timeout() {
    on_virtual(async |near, far| {
        let net = near.net();
        let mut packets = Packet::new(near);
        let before = net.now();
        let error = loop {
            if let Err(error) = packets.write(vec![0; 16_384]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Write));
        assert!(net.now() - before >= Duration::from_secs(30));
        drop(far);
    });
}

#[test]
fn packets_go_on_over_the_same_stream() {
    in_memory(async |near, mut far| {
        let mut packets = Packet::new(near);
        far.write_all(b"\0\0\0\x01arest").await.unwrap();
        assert_eq!(packets.read().await.unwrap().unwrap(), "a");
        let mut stream = packets.into_stream().await.unwrap();
        drop(far);
        assert_eq!(read_to_end(&mut stream).await, b"rest");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packets_survive_any_split(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        cuts in prop::collection::vec(0_usize..400, 0..12),
    ) {
        let wire: Vec<u8> = packets
            .iter()
            .flat_map(|packet| [&(packet.len() as u32).to_be_bytes()[..], packet].concat())
            .collect();
        on_virtual(async move |near, mut far| {
            let mut reader = Packet::new(near);
            let net = far.net();
            let writing = async move {
                let mut rest = &wire[..];
                for cut in cuts {
                    let (now, later) = rest.split_at(cut.min(rest.len()));
                    far.write_all(now).await.unwrap();
                    net.sleep(Duration::from_millis(5)).await;
                    rest = later;
                }
                far.write_all(rest).await.unwrap();
            };
            let reading = async {
                let mut got = Vec::new();
                while let Some(packet) = reader.read().await.unwrap() {
                    got.push(packet.to_vec());
                }
                got
            };
            let ((), got) = tokio::join!(writing, reading);
            assert_eq!(got, packets);
        });
    }

    #[test]
    fn arbitrary_bytes_give_packets_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        on_tokio(async move |near, mut far| {
            let mut packets = PacketUtf8::new(near);
            far.write_all(&bytes).await.unwrap();
            drop(far);
            while let Ok(Some(packet)) = packets.read().await {
                assert!(packet.len() <= bytes.len());
            }
        });
    }
}
