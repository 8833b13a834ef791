//! Remote calls: their bytes, arguments, references in both directions, and what a bad peer can do.
#![cfg(feature = "rpc")]

mod protocol_common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_core::Stream;
use proptest::prelude::*;
use protocol_common::{everywhere, in_memory, on_virtual};
use serde::{Deserialize, Serialize};
use sim_io::codec::python::{CustomTypes, Value};
use sim_io::message::{Fault, MessageOptions, RequestError};
use sim_io::packet::PacketUtf8;
use sim_io::rpc::{Call, Exposed, Object, Remote, Rpc, RpcOptions, SendObject};

#[derive(Deserialize)]
struct Greeting {
    name: String,
    #[serde(default)]
    times: Option<usize>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Complex(f64, f64);

fn root() -> Object {
    let x = Object::new().method("greet", |(): ()| Ok("Hi"));
    let a = Object::new()
        .itself(|(what,): (String,)| Ok(format!("call {what}")))
        .child("x", x);
    let root = Object::new()
        .itself(|what: String| Ok(format!("call {what}")))
        .method("greet", |greeting: Greeting| {
            Ok(format!("Hi {}", greeting.name).repeat(greeting.times.unwrap_or(1)))
        })
        .method("add", |(a, b): (i64, Option<i64>)| Ok(a + b.unwrap_or(0)))
        .method("parse", |(text,): (String,)| Ok(text.parse::<i32>()?))
        .method("panic", |(): ()| -> Result<(), Fault> { panic!("ouch") })
        .method("back", |(it,): (Exposed,)| Ok(it.path() == "b"))
        .method("_private", |(): ()| Ok("secret"))
        .passthru("later", |call: Call| {
            let count = call.arguments().len();
            call.succeed(&count).unwrap();
        })
        .passthru("forgotten", drop)
        .child("a", a)
        .child("b", Object::new())
        .child("_hidden", Object::new().method("greet", |(): ()| Ok("secret")));
    let known = root.reference("b").unwrap();
    root.method("child", move |(): ()| Ok(known.clone()))
}

/// What the server answers to a call, byte for byte.
async fn answers(wire: &mut PacketUtf8, call: &str, reply: &str) {
    wire.write(call).await.unwrap();
    assert_eq!(wire.read().await.unwrap().unwrap(), reply, "{call}");
}

#[test]
fn the_bytes_are_pythons() {
    everywhere(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = root();
        let talk = async move {
            for (call, reply) in [
                (r#"[0, 0, ["greet", ["Bo"], {"times": 2}]]"#, r#"[1, 0, "Hi BoHi Bo"]"#),
                (r#"[0, 1, ["", ["T"], {}]]"#, r#"[1, 1, "call T"]"#),
                (r#"[0, 2, ["a/x/greet", [], {}]]"#, r#"[1, 2, "Hi"]"#),
                (r#"[0, 3, ["a/", ["Q"], {}]]"#, r#"[1, 3, "call Q"]"#),
                (r#"[0, 4, ["child", [], {}]]"#, r#"[1, 4, {"__type__": [1, "b"]}]"#),
                (r#"[0, 6, ["back", [{"__type__": [0, "b"]}], {}]]"#, r#"[1, 6, true]"#),
                (r#"[0, 7, ["add", [1, 2], {}]]"#, r#"[1, 7, 3]"#),
                (r#"[0, 8, ["later", [1, 2, 3], {}]]"#, r#"[1, 8, 3]"#),
                (
                    r#"[0, 9, ["nope", [], {}]]"#,
                    r#"[2, 9, "RuntimeError: Failed to resolve path nope\n"]"#,
                ),
                (
                    r#"[0, 10, ["parse", ["x"], {}]]"#,
                    r#"[2, 10, "ParseIntError: invalid digit found in string\n"]"#,
                ),
                (
                    r#"[0, 11, ["panic", [], {}]]"#,
                    r#"[2, 11, "RuntimeError: panic: ouch\n"]"#,
                ),
                (
                    r#"[0, 12, ["forgotten", [], {}]]"#,
                    r#"[2, 12, "RuntimeError: the request was dropped without an answer\n"]"#,
                ),
            ] {
                answers(&mut wire, call, reply).await;
            }
        };
        let (served, ()) = tokio::join!(rpc.serve(&root), talk);
        served.unwrap();
    });
}

#[test]
fn private_names_are_refused_by_the_server() {
    everywhere(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = root();
        assert_eq!(root.reference("_private"), None);
        assert_eq!(root.reference("_hidden"), None);
        let talk = async move {
            for (id, path) in [
                "_private",
                "_hidden/greet",
                "_hidden/",
                "a/_x",
                "__call__",
                "a/x/y/z",
                "/",
                "//",
                "b/",
                "b",
            ]
            .into_iter()
            .enumerate()
            {
                answers(
                    &mut wire,
                    &format!(r#"[0, {id}, ["{path}", [], {{}}]]"#),
                    &format!(r#"[2, {id}, "RuntimeError: Failed to resolve path {path}\n"]"#),
                )
                .await;
            }
        };
        tokio::join!(rpc.serve(&root), talk).0.unwrap();
    });
}

#[test]
fn d09_a_call_that_is_none_fails_alone() {
    everywhere(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = root();
        let talk = async move {
            for content in [
                "null",
                "7",
                "[]",
                r#"["add"]"#,
                r#"["add", [1]]"#,
                r#"["add", 1, {}]"#,
                r#"["add", [], []]"#,
                r#"[1, [], {}]"#,
                r#"{"a": 1}"#,
                r#"["add", [1], {}, 4]"#,
                r#"["\ud800", [], {}]"#,
            ] {
                wire.write(format!("[0, 5, {content}]")).await.unwrap();
                let reply = wire.read().await.unwrap().unwrap();
                assert!(
                    reply.starts_with(r#"[2, 5, "TypeError: a call is [path, args, kwargs]"#),
                    "{reply}"
                );
            }
            answers(&mut wire, r#"[0, 6, ["add", [1], {}]]"#, "[1, 6, 1]").await;
        };
        tokio::join!(rpc.serve(&root), talk).0.unwrap();
    });
}

#[test]
fn arguments_are_bound_as_python_binds_them() {
    everywhere(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = root();
        let talk = async move {
            for (arguments, why) in [
                (r#""add", [], {}"#, "argument 1 is missing"),
                (r#""add", [1, 2, 3], {}"#, "3 arguments, 2 are the most"),
                (r#""add", ["x"], {}"#, "argument 1: invalid type"),
                (r#""add", [1], {"b": 2}"#, "unexpected argument `b`"),
                (r#""greet", [], {}"#, "missing field `name`"),
                (r#""greet", ["a"], {"name": "b"}"#, "two values for the argument `name`"),
                (r#""greet", ["a"], {"many": 2}"#, "unexpected argument `many`"),
                (r#""greet", [], {"name": 3}"#, "argument `name`: invalid type"),
                (r#""a/x/greet", [1], {}"#, "1 arguments, 0 are the most"),
                (r#""", ["a", "b"], {}"#, "2 arguments, one is wanted"),
                (r#""back", [{"__type__": [1, "b"]}], {}"#, "argument 1"),
                (r#""back", [{"__type__": [9, "b"]}], {}"#, "argument 1"),
            ] {
                wire.write(format!("[0, 5, [{arguments}]]")).await.unwrap();
                let reply = wire.read().await.unwrap().unwrap();
                assert!(
                    reply.starts_with(r#"[2, 5, "TypeError: "#) && reply.contains(why),
                    "{arguments}: {reply}"
                );
            }
            answers(
                &mut wire,
                r#"[0, 6, ["greet", [], {"name": "Bo"}]]"#,
                r#"[1, 6, "Hi Bo"]"#,
            )
            .await;
        };
        tokio::join!(rpc.serve(&root), talk).0.unwrap();
    });
}

/// Both ends, with the same tree at the far one.
async fn talk<F: Future<Output = ()>>(near: Stream, far: Stream, client: impl FnOnce(Rpc) -> F) {
    let (near, far) = (Rpc::new(near).unwrap(), Rpc::new(far).unwrap());
    let root = root();
    let talking = async {
        client(near.clone()).await;
        near.message().close();
    };
    tokio::join!(far.serve(&root), talking).0.unwrap();
}

#[test]
fn remote_objects_are_called_by_path() {
    everywhere(|near, far| {
        talk(near, far, async |rpc: Rpc| {
            let remote = rpc.remote();
            let text: String = remote.at("a/x").call("greet", ()).await.unwrap();
            assert_eq!(text, "Hi");
            let text: String = remote.at("a").at("x").call("greet", ()).await.unwrap();
            assert_eq!(text, "Hi");
            let text: String = remote
                .call_with("greet", (), BTreeMap::from([("name", "Bo")]))
                .await
                .unwrap();
            assert_eq!(text, "Hi Bo");
            let sum: i64 = remote.call("add", [1, 2]).await.unwrap();
            assert_eq!(sum, 3);
            let error = remote.call::<_, Value>("nope", ()).await.unwrap_err();
            assert_eq!(
                error,
                RequestError::Remote(Fault::new("RuntimeError", "Failed to resolve path nope"))
            );
            let error = remote.call::<_, Value>("add", 7).await.unwrap_err();
            assert!(
                error.to_string().contains("arguments are a tuple or a list, not 7"),
                "{error}"
            );
        })
    });
}

#[test]
fn d11_the_root_and_a_child_can_be_called_and_sent_home() {
    everywhere(|near, far| {
        talk(near, far, async |rpc: Rpc| {
            let remote = rpc.remote();
            // The objects themselves.
            let text: String = remote.call("", ("T",)).await.unwrap();
            assert_eq!(text, "call T");
            let text: String = remote.at("a").call("", ("Q",)).await.unwrap();
            assert_eq!(text, "call Q");
            // As a proxy of the original calls a child.
            let text: String = remote.at("a").invoke(("Q",)).await.unwrap();
            assert_eq!(text, "call Q");
            // Given away and sent home again.
            let child: Remote = remote.call("child", ()).await.unwrap();
            assert_eq!(child.path(), "b");
            let known: bool = remote.call("back", (&child,)).await.unwrap();
            assert!(known);
            let known: bool = remote.call("back", (&remote,)).await.unwrap();
            assert!(!known);
        })
    });
}

#[test]
fn callbacks_go_the_other_way() {
    everywhere(async |near, far| {
        let (near, far) = (Rpc::new(near).unwrap(), Rpc::new(far).unwrap());
        let callback: Arc<Mutex<Option<Remote>>> = Arc::default();
        let (set, get) = (Arc::clone(&callback), callback);
        let server = SendObject::new()
            .method("set_callback", move |(callback,): (Remote,)| {
                *set.lock().unwrap() = Some(callback);
                Ok(())
            })
            .process("trigger", move |(value,): (String,)| {
                let callback = get.lock().unwrap().clone();
                async move {
                    let callback = callback.ok_or_else(|| Fault::new("ValueError", "no callback"))?;
                    let reply: String = callback.invoke((value,)).await?;
                    Ok(reply)
                }
            });
        let client = SendObject::new().method("callback", |(value,): (String,)| Ok(format!("got {value}")));
        let own = client.reference("callback").unwrap();
        let talking = async {
            let remote = near.remote();
            let error = remote.call::<_, Value>("trigger", ("v",)).await.unwrap_err();
            assert_eq!(error, RequestError::Remote(Fault::new("ValueError", "no callback")));
            let () = remote.call("set_callback", (own,)).await.unwrap();
            let reply: String = remote.call("trigger", ("v",)).await.unwrap();
            assert_eq!(reply, "got v");
            near.message().close();
        };
        let (served, other, ()) = tokio::join!(far.serve(&server), near.serve(&client), talking);
        served.unwrap();
        other.unwrap();
    });
}

#[test]
fn a_reference_of_another_connection_is_refused() {
    in_memory(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let other = Rpc::new(far).unwrap();
        let error = rpc
            .remote()
            .call::<_, Value>("f", (other.remote().at("x"),))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the remote object `x` belongs to another connection"),
            "{error}"
        );
    });
}

#[test]
fn processes_run_at_the_same_time_in_virtual_time() {
    on_virtual(async |near, far| {
        let net = near.net();
        let (near, far) = (Rpc::new(near).unwrap(), Rpc::new(far).unwrap());
        let clock = net.clone();
        let root = Object::new().process("wait", move |(seconds,): (u64,)| {
            let net = clock.clone();
            async move {
                net.sleep(Duration::from_secs(seconds)).await;
                Ok(seconds)
            }
        });
        let talking = async {
            let start = net.now();
            let replies: Vec<_> = (1..=100)
                .rev()
                .map(|n| near.remote().call::<_, u64>("wait", (n,)))
                .collect();
            for (n, reply) in (1..=100).rev().zip(replies) {
                assert_eq!(reply.await.unwrap(), n);
            }
            assert_eq!((net.now() - start).as_secs(), 100);
            near.message().close();
        };
        tokio::join!(far.serve(&root), talking).0.unwrap();
    });
}

#[test]
fn custom_types_come_before_references_and_converters_between_them() {
    everywhere(async |near, far| {
        let types = || CustomTypes::new().with_type("Complex").with_converter("Date");
        let rpc = Rpc::with_options(near, RpcOptions::default().types(types())).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = Object::new()
            .method("conjugate", |(z,): (Complex,)| Ok(Complex(z.0, -z.1)))
            .child("b", Object::new());
        let known = root.reference("b").unwrap();
        let root = root.method("child", move |(): ()| Ok(known.clone()));
        let talk = async move {
            answers(
                &mut wire,
                r#"[0, 0, ["conjugate", [{"__type__": [0, [1.0, 2.0]]}], {}]]"#,
                r#"[1, 0, {"__type__": [0, [1.0, -2.0]]}]"#,
            )
            .await;
            answers(
                &mut wire,
                r#"[0, 1, ["child", [], {}]]"#,
                r#"[1, 1, {"__type__": [3, "b"]}]"#,
            )
            .await;
        };
        tokio::join!(rpc.serve(&root), talk).0.unwrap();
    });
}

#[test]
fn objects_come_and_go_while_they_are_served() {
    everywhere(async |near, far| {
        let rpc = Rpc::new(near).unwrap();
        let mut wire = PacketUtf8::new(far);
        let root = Object::new();
        let talk = async {
            root.expose("new", Object::new().method("f", |(): ()| Ok(1)));
            answers(&mut wire, r#"[0, 0, ["new/f", [], {}]]"#, "[1, 0, 1]").await;
            root.withdraw("new").unwrap();
            wire.write(r#"[0, 1, ["new/f", [], {}]]"#).await.unwrap();
            assert!(wire.read().await.unwrap().unwrap().starts_with("[2, 1, "));
            rpc.message().close();
        };
        tokio::join!(rpc.serve(&root), talk).0.unwrap();
    });
}

#[test]
fn calls_to_a_side_that_only_calls_fail_at_once() {
    everywhere(async |near, far| {
        let options = RpcOptions::default().messages(MessageOptions::default().take_requests(false));
        let _caller = Rpc::with_options(near, options).unwrap();
        let other = Rpc::new(far).unwrap();
        let error = other.remote().call::<_, Value>("f", ()).await.unwrap_err();
        assert!(matches!(error, RequestError::Remote(_)), "{error}");
    });
}

#[test]
fn servers_can_be_moved_to_other_threads() {
    fn sendable<T: Send>(_: &T) {}
    in_memory(async |near, _far| {
        let rpc = Rpc::new(near).unwrap();
        let root = SendObject::new().method("f", |(): ()| Ok(1));
        sendable(&rpc);
        sendable(&rpc.remote().call::<_, u32>("f", ()));
        sendable(&rpc.serve(&root));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_called_is_answered_or_the_channel_ends(
        path in "[a-z_/]{0,8}",
        args in "[\\[\\]{}\":,0-9a-z_ ]{0,24}",
        kwargs in "[\\[\\]{}\":,0-9a-z_ ]{0,24}",
    ) {
        in_memory(async move |near, far| {
            let rpc = Rpc::new(near).unwrap();
            let mut wire = PacketUtf8::new(far);
            let root = root();
            let talk = async {
                wire.write(format!("[0, 0, [\"{path}\", [{args}], {{{kwargs}}}]]")).await.unwrap();
                if let Some(reply) = wire.read().await.unwrap() {
                    assert!(reply.starts_with("[1, 0, ") || reply.starts_with("[2, 0, "));
                }
                rpc.message().close();
            };
            let _ = tokio::join!(rpc.serve(&root), talk);
        });
    }
}
