//! The HTTP echo server of `models/http_echo_server.xml`, built in Rust: the same classes and states, closures for code.
//!
//! ```sh
//! cargo run -p statechart-bridge --example http_echo_chart -- 8080
//! curl -d hello http://127.0.0.1:8080/        # in another terminal: hello
//! ```

use std::fmt::Write as _;

use net_core::Net;
use statechart_bridge::socket::boot_translation_service;
use statechart_bridge::{
    Association, Chart, Class, Context, Event, Expression, Method, Model, ModelError, Raise, Runtime, Scope, State,
    Transition, Value,
};

const LONGEST_HEADER: usize = 64 * 1024;
const LONGEST_BODY: usize = 16 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let net = Net::os();
    let runtime = Runtime::builder(&model()?, &net)
        .arguments(["127.0.0.1".into(), i64::from(port).into()])
        .on_log(|line| println!("{}", line.text))
        .on_fault(|fault| eprintln!("{fault}"))
        .build()?;
    boot_translation_service(&runtime, &net)?;
    Ok(runtime.run().await?)
}

pub(crate) fn model() -> Result<Model, ModelError> {
    Model::builder()
        .name("HTTP echo server")
        .inport("socket_in")
        .outport("socket_out")
        .class(echo())
        .class(server())
        .class(socket())
        .build()
}

/// A command for the socket service, about the socket in the attribute `socket`.
fn command(name: &str) -> Raise {
    Raise::output("socket_out", name).with(Expression::attribute("socket"))
}

/// An answer of the socket service, if it is about the own socket.
fn answer(name: &str) -> Transition {
    Transition::on(name).port("socket_in").same("socket", 0)
}

/// The constructor of a class that keeps an address and a port.
fn address(class: &str) -> Method {
    Method::new(class)
        .parameter("address")
        .parameter("port")
        .run(|cx: &mut Context<'_>| {
            cx.set_attribute("address", cx.parameter(0).clone());
            cx.set_attribute("port", cx.parameter(1).clone());
        })
}

/// Answers each request that comes up from the server with its own data.
fn echo() -> Class {
    let create = Raise::object_manager("create_instance")
        .with("to_server")
        .with("Server")
        .with(Expression::attribute("address"))
        .with(Expression::attribute("port"));
    let reply = Raise::narrow(
        Expression::computed(|cx| format!("to_server/{}", cx.parameter(0).as_str().unwrap_or_default())),
        "HTTP_input",
    );
    let chart = Chart::new()
        .initial("init_server")
        .state(
            State::new("init_server").entering(create).transition(
                Transition::on("instance_created")
                    .to("../wait_for_requests")
                    .raise(started()),
            ),
        )
        .state(
            State::new("wait_for_requests")
                .transition(Transition::on("HTTP_output").raise(reply.with(Expression::Parameter(1)))),
        );
    Class::new("Echo")
        .default_class()
        .association(Association::new("to_server", "Server").between(1, 1))
        .attribute("address", Value::Nil)
        .attribute("port", Value::Nil)
        .constructor(address("Echo"))
        .chart(chart)
}

/// Starts the instance that was created.
fn started() -> Raise {
    Raise::object_manager("start_instance").with(Expression::Parameter(0))
}

/// Accepts connections, each of which gets an instance of its own.
fn server() -> Class {
    let init = State::new("init")
        .entering(Raise::output("socket_out", "create_socket"))
        .transition(
            Transition::on("created_socket")
                .port("socket_in")
                .to("../binding")
                .run(|cx: &mut Context<'_>| cx.set_attribute("socket", cx.parameter(0).clone())),
        );
    let here = Expression::computed(|cx| Value::tuple([cx.attribute("address").clone(), cx.attribute("port").clone()]));
    let binding = State::new("binding")
        .entering(command("bind_socket").with(here))
        .transition(answer("bound_socket").to("../listening").run(|cx: &mut Context<'_>| {
            cx.set_attribute("port", cx.parameter(1).clone());
        }))
        .transition(failed());
    let listening = State::new("listening")
        .entering(command("listen_socket"))
        .transition(
            answer("listened_socket")
                .to("../accepting")
                .run(|cx: &mut Context<'_>| cx.log(format!("listening on port {}", cx.attribute("port"))))
                .raise(command("accept_socket")),
        )
        .transition(failed());
    let accept = Raise::object_manager("create_instance")
        .with("sockets")
        .with("Socket")
        .with(Expression::Parameter(1));
    let named = Raise::narrow(Expression::Parameter(0), "set_association_name").with(Expression::Parameter(0));
    let accepting = State::new("accepting")
        .transition(answer("accepted_socket").raise(accept).raise(command("accept_socket")))
        .transition(Transition::on("instance_created").raise(started()).raise(named))
        .transition(failed());
    let server = State::new("server")
        .initial("init")
        .child(init)
        .child(binding)
        .child(listening)
        .child(accepting)
        .child(State::new("failed").entering(command("close_socket")));

    let up = Raise::narrow("parent", "HTTP_output")
        .with(Expression::Parameter(0))
        .with(Expression::Parameter(1));
    let delete = Raise::object_manager("delete_instance").with(Expression::Parameter(0));
    let forward = |id: &str, transition: Transition| {
        State::new(id)
            .initial("waiting")
            .child(State::new("waiting").transition(transition))
    };
    let main = State::parallel("main")
        .child(forward("forward", Transition::on("HTTP_output").raise(up)))
        .child(server)
        .child(forward("close_socket", Transition::on("close_socket").raise(delete)));
    Class::new("Server")
        .association(Association::new("sockets", "Socket"))
        .association(Association::new("parent", "Echo").between(1, 1))
        .attribute("address", Value::Nil)
        .attribute("port", Value::Nil)
        .attribute("socket", Value::Nil)
        .constructor(address("Server"))
        .chart(Chart::new().initial("main").state(main))
}

fn failed() -> Transition {
    answer("error_socket").to("../failed").run(|cx: &mut Context<'_>| {
        cx.log(format!("the server can't go on: {}", cx.parameter(1)));
    })
}

/// Reads requests from one connection and writes responses to it, at the same time.
fn socket() -> Class {
    let listen = State::new("listen")
        .entering(command("recv_socket"))
        .transition(
            answer("received_socket")
                .guard(|cx: &mut Context<'_>| cx.parameter(1).is_true())
                .to(".")
                .run(|cx: &mut Context<'_>| {
                    let data = cx.parameter(1).as_bytes().unwrap_or_default();
                    append(cx, "received", data);
                })
                .raise(Raise::local("received")),
        )
        .transition(
            answer("received_socket")
                .otherwise()
                .to("../closed")
                .raise(Raise::local("received")),
        );
    let closed = State::new("closed").on_entry(|cx: &mut Context<'_>| cx.set_attribute("closed", true));
    let waiting = State::new("waiting_for_data").transition(
        Transition::spontaneous()
            .guard(|cx: &mut Context<'_>| cx.attribute("to_send").is_true())
            .to("../transferring")
            .raise(command("send_socket").with(Expression::attribute("to_send"))),
    );
    let transferring = State::new("transferring").transition(answer("sent_socket").to("../waiting_for_data").run(
        |cx: &mut Context<'_>| {
            let sent = cx.parameter(1).as_int().and_then(|sent| usize::try_from(sent).ok());
            drain(cx, "to_send", sent.unwrap_or(0));
        },
    ));
    let queue = State::new("queue").transition(Transition::on("HTTP_input").run(|cx: &mut Context<'_>| {
        let body = cx.parameter(0).as_bytes().unwrap_or_default();
        respond(cx, "200 OK", body);
        count(cx, -1);
    }));
    let parse = State::new("parse")
        .transition(Transition::spontaneous().guard(has_request).run(parse))
        .transition(
            Transition::spontaneous()
                .guard(|cx: &mut Context<'_>| {
                    let is_over = cx.attribute("closed").is_true() || cx.attribute("refused").is_true();
                    is_over && cx.attribute("open_requests").as_int() == Some(0) && !cx.attribute("to_send").is_true()
                })
                .to("../closing"),
        );
    let closing =
        State::new("closing").transition(Transition::after(std::time::Duration::ZERO).raise(Raise::local("close")));
    let region = |id: &str, states: Vec<State>| states.into_iter().fold(State::new(id), State::child);
    let connected = State::parallel("connected")
        .child(region("listening", vec![listen, closed]))
        .child(region("sending", vec![waiting, transferring]))
        .child(region("queueing", vec![queue]))
        .child(region("parsing", vec![parse, closing]))
        .transition(Transition::on("close").to("../close"))
        .transition(answer("error_socket").to("../close"));
    let gone = Raise::narrow("parent", "close_socket").with(Expression::attribute("association_name"));
    let chart = Chart::new()
        .initial("init")
        .state(
            State::new("init").transition(Transition::on("set_association_name").to("../connected").run(
                |cx: &mut Context<'_>| {
                    cx.set_attribute("association_name", cx.parameter(0).clone());
                },
            )),
        )
        .state(connected)
        .state(State::new("close").entering(command("close_socket")).entering(gone));
    Class::new("Socket")
        .association(Association::new("parent", "Server").between(1, 1))
        .attribute("socket", Value::Nil)
        .attribute("association_name", Value::Nil)
        .attribute("received", Value::from(&b""[..]))
        .attribute("to_send", Value::from(&b""[..]))
        .attribute("closed", false)
        .attribute("refused", false)
        .attribute("open_requests", 0)
        .constructor(
            Method::new("Socket")
                .parameter("my_socket")
                .run(|cx: &mut Context<'_>| cx.set_attribute("socket", cx.parameter(0).clone())),
        )
        .chart(chart)
}

fn bytes<'a>(cx: &'a Context<'_>, attribute: &str) -> &'a [u8] {
    cx.attribute(attribute).as_bytes().unwrap_or_default()
}

fn append(cx: &mut Context<'_>, attribute: &str, more: &[u8]) {
    let all = [bytes(cx, attribute), more].concat();
    cx.set_attribute(attribute, Value::from(&*all));
}

fn drain(cx: &mut Context<'_>, attribute: &str, count: usize) {
    let rest = bytes(cx, attribute).get(count..).unwrap_or_default().to_vec();
    cx.set_attribute(attribute, Value::from(&*rest));
}

fn count(cx: &mut Context<'_>, by: i64) {
    let open = cx.attribute("open_requests").as_int().unwrap_or(0);
    cx.set_attribute("open_requests", open + by);
}

fn respond(cx: &mut Context<'_>, status: &str, body: &[u8]) {
    let mut head = format!("HTTP/1.0 {status}\r\n");
    let _ = write!(
        head,
        "Content-Length: {}\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n",
        body.len()
    );
    append(cx, "to_send", head.as_bytes());
    append(cx, "to_send", body);
}

/// What is at the front of the data.
enum Front {
    /// A request: where its body begins and ends.
    Whole(usize, usize),
    /// Not all of it yet.
    Partial,
    /// Something else: the status that says so.
    Bad(&'static str),
}

fn front(data: &[u8], is_all: bool) -> Front {
    let Some(end) = data.windows(4).position(|piece| piece == b"\r\n\r\n") else {
        return if data.len() > LONGEST_HEADER {
            Front::Bad("431 Request Header Fields Too Large")
        } else {
            Front::Partial
        };
    };
    let head = String::from_utf8_lossy(data.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let words: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    match *words {
        ["POST", _, version] if version.starts_with("HTTP/") => {}
        [_, _, version] if version.starts_with("HTTP/") => return Front::Bad("405 Method Not Allowed"),
        _ => return Front::Bad("400 Bad Request"),
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>())
    });
    let start = end + 4;
    match length {
        Some(Err(_)) => Front::Bad("400 Bad Request"),
        Some(Ok(length)) if length > LONGEST_BODY => Front::Bad("413 Content Too Large"),
        Some(Ok(length)) if data.len() >= start + length => Front::Whole(start, start + length),
        // Without a length the data end with the connection.
        None if is_all => Front::Whole(start, data.len()),
        None if data.len() > start + LONGEST_BODY => Front::Bad("413 Content Too Large"),
        _ => Front::Partial,
    }
}

fn has_request(cx: &mut Context<'_>) -> bool {
    let is_all = cx.attribute("closed").is_true();
    !cx.attribute("refused").is_true() && !matches!(front(bytes(cx, "received"), is_all), Front::Partial)
}

/// Takes a request off what came, and hands it up; or says what is wrong.
fn parse(cx: &mut Context<'_>) {
    let is_all = cx.attribute("closed").is_true();
    match front(bytes(cx, "received"), is_all) {
        Front::Partial => {}
        Front::Bad(status) => {
            cx.set_attribute("refused", true);
            respond(cx, status, format!("{status}\n").as_bytes());
        }
        Front::Whole(start, end) => {
            let body = bytes(cx, "received").get(start..end).unwrap_or_default().to_vec();
            drain(cx, "received", end);
            count(cx, 1);
            cx.log(format!("Echo: {}", String::from_utf8_lossy(&body)));
            let name = cx.attribute("association_name").clone();
            let request = Event::new("HTTP_output").with([name, Value::from(&*body)]);
            cx.raise(Scope::Narrow("parent".into()), request);
        }
    }
}
