//! The service on the runtime of this crate: an echo server as a chart.

use statechart_bridge::socket::boot_translation_service;
use statechart_bridge::{
    Chart, Class, Context, Event, Expression, Model, Raise, Runtime, Scope, State, Transition, Value,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{net, on_each_backend};
use crate::rig::endpoint;

on_each_backend!(an_echo_server_in_one_chart, sockets_keep_a_runtime_going_that_would_end);

fn raise(context: &mut Context<'_>, name: &str, parameters: impl IntoIterator<Item = Value>) {
    context.raise(Scope::Output, Event::new(name).on("socket_out").with(parameters));
}

fn caught(name: &str) -> Transition {
    Transition::on(name).port("socket_in").to("/serving")
}

/// The first command is raised in the entry of the initial state, before anything else happens.
fn echo_server() -> Model {
    let create = State::new("creating")
        .entering(Raise::output("socket_out", "create_socket"))
        .transition(caught("created_socket").run(|context: &mut Context<'_>| {
            let socket = context.parameter(0).clone();
            context.set_attribute("socket", socket.clone());
            raise(context, "bind_socket", [socket.clone(), ("127.0.0.1", 0).into()]);
            raise(context, "listen_socket", [socket.clone()]);
            raise(context, "accept_socket", [socket]);
        }));
    let serve = State::new("serving")
        .transition(caught("bound_socket").raise(Raise::output("told", "port").with(Expression::Parameter(1))))
        .transition(
            caught("accepted_socket")
                .same("socket", 0)
                .run(|context: &mut Context<'_>| {
                    let (socket, connection) = (context.parameter(0).clone(), context.parameter(1).clone());
                    raise(context, "recv_socket", [connection]);
                    raise(context, "accept_socket", [socket]);
                }),
        )
        .transition(caught("received_socket").run(|context: &mut Context<'_>| {
            let (connection, data) = (context.parameter(0).clone(), context.parameter(1).clone());
            if data.is_true() {
                raise(context, "send_socket", [connection.clone(), data]);
                raise(context, "recv_socket", [connection]);
            } else {
                raise(context, "close_socket", [connection]);
            }
        }));
    Model::builder()
        .inport("socket_in")
        .outport("socket_out")
        .outport("told")
        .class(
            Class::new("Server")
                .attribute("socket", Value::Nil)
                .chart(Chart::new().state(create).state(serve)),
        )
        .build()
        .expect("a model")
}

async fn an_echo_server_in_one_chart() {
    let net = net();
    let runtime = Runtime::new(&echo_server(), &net).unwrap();
    let service = boot_translation_service(&runtime, &net).unwrap();
    let told = runtime.output_queue(&["told"]);
    runtime.start().unwrap();
    let port = told.next().await.unwrap().event.parameter(0).as_int().unwrap();
    let port = u16::try_from(port).unwrap();
    let clients: Vec<_> = (0..20usize)
        .map(|number| {
            let clock = net.clone();
            let client = async move {
                let mut stream = clock.connect(&endpoint(port)).await.unwrap();
                let text = format!("{number} ").repeat(1000 * number);
                stream.write_all(text.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                let mut back = String::new();
                stream.read_to_string(&mut back).await.unwrap();
                assert!(back == text);
            };
            net.spawn(client).unwrap()
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    runtime.stop();
    runtime.ended().await;
    while !service.is_stopped() {
        net.sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(net.connect(&endpoint(port)).await.is_err());
}

async fn sockets_keep_a_runtime_going_that_would_end() {
    let net = net();
    let runtime = Runtime::builder(&echo_server(), &net)
        .keep_running(false)
        .build()
        .unwrap();
    let service = boot_translation_service(&runtime, &net).unwrap();
    let told = runtime.output_queue(&["told"]);
    runtime.start().unwrap();
    let port = told.next().await.unwrap().event.parameter(0).as_int().unwrap();
    net.sleep(std::time::Duration::from_millis(50)).await;
    assert!(!runtime.has_ended(), "a server waits for its clients");
    let mut stream = net.connect(&endpoint(u16::try_from(port).unwrap())).await.unwrap();
    stream.write_all(b"still there?").await.unwrap();
    let mut back = [0; 12];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"still there?");
    service.stop().await;
    // Nothing is left that could happen.
    runtime.ended().await;
}
