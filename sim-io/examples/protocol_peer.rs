//! Both ends of each protocol, to try against other programs: packets, messages and remote calls.
//!
//! ```text
//! cargo run -p sim-io --all-features --example protocol_peer -- serve message
//! cargo run -p sim-io --all-features --example protocol_peer -- connect message tcp://127.0.0.1:5557
//! ```
//!
//! `serve` prints `listening on ENDPOINT`, serves one connection and ends with it. `connect` tries everything that the
//! server offers, prints a line for each check, and ends with exit code 1 at the first one that fails.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use net_core::{Net, Stream};
use sim_io::codec::PythonJson;
use sim_io::codec::python::Value;
use sim_io::message::{ChannelError, Fault, Message, RequestError};
use sim_io::packet::PacketUtf8;
use sim_io::rpc::{Exposed, Object, Remote, Rpc};
use sim_io::{Environment, Failure};

#[derive(serde::Deserialize)]
struct Greeting {
    n: i64,
    #[serde(default)]
    k: i64,
}

/// The objects that are served: each as the one at the root.
fn greeter(env: &Environment) -> Object {
    let env = env.clone();
    Object::new()
        .method("greet", |greeting: Greeting| {
            Ok(format!("Hi {} {}", greeting.n, greeting.k))
        })
        .itself(|(what,): (String,)| Ok(format!("call {what}")))
        .process("slow", move |(what,): (String,)| {
            let env = env.clone();
            async move {
                env.timeout(Duration::from_millis(10)).await;
                Ok(format!("slow {what}"))
            }
        })
        .method("back", |(it,): (Exposed,)| Ok(it.path() == "b"))
}

fn tree(env: &Environment) -> Result<Object, Failure> {
    let callback: Rc<RefCell<Option<Remote>>> = Rc::default();
    let set = Rc::clone(&callback);
    let root = greeter(env)
        .child("a", greeter(env).child("x", greeter(env)))
        .child("b", greeter(env))
        .method("set_callback", move |(callback,): (Remote,)| {
            *set.borrow_mut() = Some(callback);
            Ok(())
        })
        .process("trigger", move |(value,): (Value,)| {
            let callback = callback.borrow().clone();
            async move {
                let callback = callback.ok_or_else(|| Fault::new("ValueError", "no callback"))?;
                Ok(callback.invoke::<_, Value>((value,)).await?)
            }
        });
    let child = root.reference("b").ok_or_else(|| Failure::text("there is no b"))?;
    Ok(root.method("child", move |(): ()| Ok(child.clone())))
}

async fn serve_packets(stream: Stream) -> Result<(), Failure> {
    let mut packets = PacketUtf8::new(stream);
    while let Some(packet) = packets.read().await? {
        packets.write(packet).await?;
    }
    Ok(())
}

async fn serve_messages(env: Environment, stream: Stream) -> Result<(), Failure> {
    let message = Message::new(stream, PythonJson::new())?;
    let mut held = Vec::new();
    while let Some(request) = message.recv().await? {
        let content: Value = request.content()?;
        match content.as_str() {
            Some("fail") => request.fail(Fault::new("ValueError", "nope"))?,
            Some("ask back") => {
                let message = message.clone();
                env.try_process::<_, RequestError>(async move {
                    let reply: Value = message.send("who?").await?;
                    request.succeed(&reply)
                });
            }
            Some("hold") => {
                held.push(request);
                if held.len() == 3 {
                    for (number, request) in held.drain(..).rev().enumerate() {
                        request.succeed(&number)?;
                    }
                }
            }
            _ => request.succeed(&content)?,
        }
    }
    Ok(())
}

async fn serve(env: Environment, net: Net, level: String) -> Result<(), Failure> {
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
    println!("listening on {}", listener.local());
    let stream = listener.accept().await?;
    let served = match &*level {
        "packet" => serve_packets(stream).await,
        "message" => serve_messages(env, stream).await,
        _ => Rpc::new(stream)?.serve(&tree(&env)?).await.map_err(Failure::from),
    };
    match served {
        // A client that drops its connection leaves a reset; it has what it wanted.
        Err(failure) if is_reset(&failure) => Ok(()),
        served => served,
    }
}

fn is_reset(failure: &Failure) -> bool {
    let error = match failure.downcast_ref::<ChannelError>() {
        Some(ChannelError::Net(error)) => Some(error),
        _ => failure.downcast_ref::<net_core::Error>(),
    };
    error.is_some_and(|error| error.kind() == net_core::ErrorKind::Reset)
}

fn check<T: PartialEq + Debug>(what: &str, got: T, wanted: T) -> Result<(), Failure> {
    if got != wanted {
        return Err(Failure::text(format!("{what}: got {got:?}, expected {wanted:?}")));
    }
    println!("{what}: {got:?}");
    Ok(())
}

async fn try_packets(stream: Stream) -> Result<(), Failure> {
    let mut packets = PacketUtf8::new(stream);
    for packet in ["ohai", "", "Gr\u{fc}\u{df}e", &"x".repeat(16_384)] {
        packets.write(packet).await?;
        let what = format!("a packet of {}", packet.chars().count());
        check(&what, packets.read().await?.as_deref() == Some(packet), true)?;
    }
    Ok(())
}

async fn try_messages(env: Environment, stream: Stream) -> Result<(), Failure> {
    let message = Message::new(stream, PythonJson::new())?;
    for text in [
        r#""ohai""#,
        r#"{"\u00e4": [1, 2.5, null, true]}"#,
        "Infinity",
        r#""\ud800""#,
        "123456789012345678901234567890",
        "[]",
    ] {
        let content: Value = message.codec().from_text(text)?;
        let reply: Value = message.send(&content).await?;
        check("an echo", message.codec().to_text(&reply)?, text.to_owned())?;
    }
    let failed = message.send::<_, Value>("fail").await;
    check(
        "a failure",
        failed,
        Err(RequestError::Remote(Fault::new("ValueError", "nope"))),
    )?;
    let held: Vec<_> = (0..3).map(|_| message.send::<_, u32>("hold")).collect();
    for (number, reply) in (0..3).rev().zip(held) {
        check("replies out of order", reply.await?, number)?;
    }
    env.try_process::<_, Failure>({
        let message = message.clone();
        async move {
            if let Some(request) = message.recv().await? {
                check("the server asks", request.content::<String>()?, "who?".into())?;
                request.succeed("me")?;
            }
            Ok(())
        }
    });
    let reply: String = message.send("ask back").await?;
    check("a request the other way", reply, "me".into())
}

async fn try_calls(env: Environment, stream: Stream) -> Result<(), Failure> {
    let rpc = Rpc::new(stream)?;
    let own = Object::new().method("callback", |(value,): (String,)| {
        Ok(format!("called back with {value}"))
    });
    let callback = own
        .reference("callback")
        .ok_or_else(|| Failure::text("there is no callback"))?;
    env.try_process({
        let rpc = rpc.clone();
        async move { rpc.serve(&own).await }
    });
    let remote = rpc.remote();
    let keywords = std::collections::BTreeMap::from([("k", 2)]);
    check(
        "a call",
        remote.call_with("greet", (1,), keywords).await?,
        "Hi 1 2".to_owned(),
    )?;
    check("the root itself", remote.call("", ("T",)).await?, "call T".to_owned())?;
    check(
        "a child's child",
        remote.at("a/x").call("greet", (5,)).await?,
        "Hi 5 0".to_owned(),
    )?;
    check(
        "a child itself",
        remote.at("a").call("", ("Q",)).await?,
        "call Q".to_owned(),
    )?;
    check("a process", remote.call("slow", ("S",)).await?, "slow S".to_owned())?;
    let child: Remote = remote.call("child", ()).await?;
    check("an object as the reply", child.path(), "b")?;
    check("it comes home", remote.call("back", (child,)).await?, true)?;
    match remote.call::<_, Value>("nope", ()).await {
        Err(RequestError::Remote(fault)) => check("no such path", fault.message(), "Failed to resolve path nope")?,
        other => check("no such path", other, Ok(Value::Null))?,
    }
    let () = remote.call("set_callback", (callback,)).await?;
    check(
        "a callback",
        remote.call("trigger", ("v",)).await?,
        "called back with v".to_owned(),
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let env = Environment::in_real_time();
    let net = env.net();
    let process = match &arguments[..] {
        ["serve", level @ ("packet" | "message" | "rpc")] => {
            env.named_try_process("server", serve(env.clone(), net, (*level).to_owned()))
        }
        ["connect", level @ ("packet" | "message" | "rpc"), endpoint] => {
            let (level, endpoint) = ((*level).to_owned(), endpoint.parse()?);
            let handle = env.clone();
            env.named_try_process("client", async move {
                let stream = net.connect(&endpoint).await?;
                match &*level {
                    "packet" => try_packets(stream).await,
                    "message" => try_messages(handle, stream).await,
                    _ => try_calls(handle, stream).await,
                }
            })
        }
        _ => {
            eprintln!(
                "usage: protocol_peer serve LEVEL | connect LEVEL ENDPOINT, where LEVEL is packet, message or rpc"
            );
            std::process::exit(2);
        }
    };
    env.run_until(&process)?;
    Ok(())
}
