//! Messages in each codec: their bytes, what survives the way, and what any bytes can do.
#![cfg(all(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]

mod message_common;
mod protocol_common;

use message_common::{Reply, json, python};
use net_core::Stream;
use proptest::prelude::*;
use protocol_common::{everywhere, in_memory};
use serde_json::{Value, json};
use sim_io::codec::{Cbor, Codec, Decode, Encode, Id, Json, Kind, MessagePack, PythonJson};
use sim_io::message::{FailureForm, Fault, Message, RequestError};

#[test]
fn each_codec_has_its_bytes() {
    fn packet<C: Encode<str>>(codec: &C, kind: Kind, id: u64, content: &str) -> Vec<u8> {
        let mut out = Vec::new();
        codec.begin(kind, &Id::Number(id), &mut out);
        codec.encode(content, &mut out).unwrap();
        codec.end(&mut out);
        out
    }
    assert_eq!(
        packet(&PythonJson::new(), Kind::Request, 0, "ohai"),
        br#"[0, 0, "ohai"]"#
    );
    assert_eq!(packet(&Json, Kind::Success, 1024, "cya"), br#"[1,1024,"cya"]"#);
    assert_eq!(packet(&MessagePack, Kind::Request, 0, "ohai"), b"\x93\0\0\xa4ohai");
    assert_eq!(
        packet(&MessagePack, Kind::Failure, 300, "no"),
        b"\x93\x02\xcd\x01\x2c\xa2no"
    );
    assert_eq!(packet(&Cbor, Kind::Request, 0, "ohai"), b"\x83\0\0\x64ohai");
    assert_eq!(packet(&Cbor, Kind::Success, 300, "no"), b"\x83\x01\x19\x01\x2c\x62no");
}

#[test]
fn every_codec_carries_messages() {
    async fn exchange<C: Codec + Encode<Value> + Decode<Value> + Clone>(near: Stream, far: Stream, codec: C) {
        let client = Message::new(near, codec.clone()).unwrap();
        let server = Message::new(far, codec).unwrap();
        let content = json!({"a": [1, -2, 2.5, null, true, "\u{e4}"], "b": {}});
        let asking = async {
            let reply: Value = client.send(&content).await.unwrap();
            assert_eq!(reply, content);
            let error = Reply::err(client.send(&json!("fail")).await);
            assert_eq!(error, RequestError::Remote(Fault::new("ValueError", "nope")));
        };
        let answering = async {
            let request = server.recv().await.unwrap().unwrap();
            let content: Value = request.content().unwrap();
            request.succeed(&content).unwrap();
            let request = server.recv().await.unwrap().unwrap();
            request.fail(Fault::new("ValueError", "nope")).unwrap();
        };
        tokio::join!(asking, answering);
    }
    everywhere(|near, far| exchange(near, far, Json));
    everywhere(|near, far| exchange(near, far, PythonJson::new()));
    everywhere(|near, far| exchange(near, far, MessagePack));
    everywhere(|near, far| exchange(near, far, Cbor));
}

#[test]
fn json_and_pythons_json_understand_each_other() {
    in_memory(async |near, far| {
        let (client, server) = (json(near), python(far));
        let (reply, ()) = tokio::join!(client.send::<_, Value>(&json!([1, "\u{e4}"])), async {
            let request = server.recv().await.unwrap().unwrap();
            let content: sim_io::codec::python::Value = request.content().unwrap();
            request.succeed(&content).unwrap();
        });
        assert_eq!(reply.unwrap(), json!([1, "\u{e4}"]));
    });
}

fn contents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

fn survives<C: Encode<Value> + Decode<Value>>(codec: &C, id: u64, content: &Value) {
    for kind in [Kind::Request, Kind::Success, Kind::Failure] {
        let mut packet = Vec::new();
        codec.begin(kind, &Id::Number(id), &mut packet);
        codec.encode(content, &mut packet).unwrap();
        codec.end(&mut packet);
        let envelope = codec.open(&packet).unwrap();
        assert_eq!(
            (envelope.kind, &envelope.id, envelope.odd),
            (kind, &Id::Number(id), false)
        );
        assert_eq!(&codec.decode(envelope.content).unwrap(), content);
        // No part of it is a message.
        for end in 0..packet.len() {
            assert!(codec.open(&packet[..end]).is_err(), "{end} of {packet:?}");
        }
    }
}

fn tries<C: Decode<Value>>(codec: &C, bytes: &[u8]) {
    if let Ok(envelope) = codec.open(bytes) {
        let _ = codec.decode(envelope.content);
        codec.decode_fault(envelope.content);
    }
    let _ = codec.decode(bytes);
    codec.decode_fault(bytes);
}

proptest! {
    #[test]
    fn messages_survive_the_round_trip(id: u64, content in contents()) {
        survives(&Json, id, &content);
        survives(&PythonJson::new(), id, &content);
        survives(&MessagePack, id, &content);
        survives(&Cbor, id, &content);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop::sample::select(vec![&b""[..], b"[0,0,", b"[2, 1, ", b"\x93\0\0", b"\x93\x02\x01", b"\x83\0\0", b"\x83\x02\x01"]),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = [start, &bytes].concat();
        tries(&Json, &bytes);
        tries(&PythonJson::new(), &bytes);
        tries(&MessagePack, &bytes);
        tries(&Cbor, &bytes);
    }

    #[test]
    fn faults_survive_the_round_trip(kind in "[A-Z][a-z]{0,9}", message in "[ -~]{1,40}", lines in prop::collection::vec("[ -~]{1,20}", 0..4)) {
        let fault = Fault::new(kind, message).with_traceback(lines.join("\n"));
        for form in [FailureForm::Text, FailureForm::List] {
            let mut out = Vec::new();
            PythonJson::new().encode_fault(&fault, form, &mut out).unwrap();
            prop_assert_eq!(&PythonJson::new().decode_fault(&out), &fault);
        }
    }
}

#[test]
fn claims_of_huge_lengths_allocate_nothing() {
    for bytes in [
        &b"\x93\0\0\xdd\xff\xff\xff\xff"[..],
        b"\x93\0\0\xdb\xff\xff\xff\xff",
        b"\x93\0\0\xdf\xff\xff\xff\xff",
        b"\x83\0\0\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x83\0\0\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x83\0\0\x5b\0\0\0\x7f\xff\xff\xff\xff",
    ] {
        let used = allocation_counter::measure(|| {
            tries(&MessagePack, bytes);
            tries(&Cbor, bytes);
        });
        assert!(used.bytes_max < 1 << 20, "{bytes:?}: {used:?}");
    }
}
