//! HTTP/1.1: what a server and a client of ours do together, and what they do with a peer that speaks in bytes.
#![cfg(feature = "http")]

mod protocol_common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use net_core::{Endpoint, Net, Shutdown, Stream};
use protocol_common::{everywhere, on_tokio, on_virtual, read_to_end};
use sim_io::Environment;
use sim_io::http::{
    About, Body, Client, ClientOptions, Error, Functions, Method, Reply, Request, Response, Server, ServerOptions,
    StatusCode, header, upgrade,
};
use sim_io::network::{Link, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// A server and a client with networks of their own, on each backend.
fn between<F: Future<Output = ()> + 'static>(scenario: impl Fn(Net, Net, Endpoint) -> F + Clone + 'static) {
    let ends = move |near: Stream, far: Stream| scenario(far.net(), near.net(), far.local().clone().with_port(0));
    on_virtual(ends.clone());
    #[cfg(feature = "reactor")]
    protocol_common::on_reactor(ends.clone());
    on_tokio(ends);
}

fn url(endpoint: &Endpoint, path: &str) -> String {
    endpoint.to_string().replace("tcp://", "http://") + path
}

async fn echo(mut request: Request) -> Result<Response, Error> {
    let line = format!("{} {}", request.method(), request.uri());
    let body = request.body_mut().bytes().await?;
    let mut response = Response::new(body.into());
    response.headers_mut().insert("x-line", line.parse().unwrap());
    Ok(response)
}

/// What a server answers to these bytes, until it closes.
async fn answers(near: &mut Stream, asked: &str) -> String {
    near.write_all(asked.as_bytes()).await.unwrap();
    near.shutdown().await.unwrap();
    String::from_utf8(read_to_end(near).await).unwrap()
}

#[test]
fn a_client_and_a_server() {
    between(|server, net, at| async move {
        let running = Server::new(echo).start(&server, &at).await.unwrap();
        let client = Client::new(&net);
        for (method, body) in [(Method::POST, "first"), (Method::PUT, "second"), (Method::GET, "")] {
            let mut request = Request::new(body.into());
            *request.method_mut() = method.clone();
            *request.uri_mut() = url(running.endpoint(), "/a?b=c").parse().unwrap();
            let mut response = client.send(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["x-line"], format!("{method} /a?b=c").as_str());
            assert!(!response.headers().contains_key("date"));
            assert_eq!(response.body_mut().text().await.unwrap(), body);
        }
        assert_eq!(running.connections(), 1, "it is kept");
        drop(client);
        let report = running.stop(5 * SECOND).await;
        assert_eq!(report.aborted, 0);
    });
}

#[test]
fn bodies_in_parts_both_ways() {
    between(|server, net, at| async move {
        let handler = |mut request: Request| async move {
            let (mut sender, body) = Body::channel();
            let net = About::of(&request).unwrap().net().clone();
            net.spawn(async move {
                while let Some(part) = request.body_mut().chunk().await? {
                    sender.send(part).await?;
                }
                sender.finish().await
            })
            .unwrap();
            body
        };
        let running = Server::new(handler).start(&server, &at).await.unwrap();
        let client = Client::new(&net);
        let (mut sender, body) = Body::channel();
        let mut response = client.post(&url(running.endpoint(), "/"), body).await.unwrap();
        assert_eq!(response.headers()[header::TRANSFER_ENCODING], "chunked");
        for part in ["one", "two", "three"] {
            sender.send(part).await.unwrap();
            assert_eq!(response.body_mut().chunk().await.unwrap().unwrap(), part);
        }
        sender.finish().await.unwrap();
        assert_eq!(response.body_mut().chunk().await.unwrap(), None);
        // Large ones, with the connection's own pace.
        let (mut sender, body) = Body::channel();
        let mut response = client.post(&url(running.endpoint(), "/"), body).await.unwrap();
        let send = async {
            for _ in 0..100 {
                sender.send(vec![7; 10_000]).await.unwrap();
            }
            sender.finish().await.unwrap();
        };
        let (back, ()) = tokio::join!(response.body_mut().bytes(), send);
        assert_eq!(back.unwrap(), vec![7; 1_000_000]);
        assert_eq!(running.connections(), 1);
    });
}

#[test]
fn a_body_that_is_broken_off_never_looks_whole() {
    between(|server, net, at| async move {
        let handler = |request: Request| async move {
            let (mut sender, body) = Body::channel();
            let net = About::of(&request).unwrap().net().clone();
            net.spawn(async move { sender.send("half").await }).unwrap();
            body
        };
        let running = Server::new(handler).start(&server, &at).await.unwrap();
        let mut response = Client::new(&net).get(&url(running.endpoint(), "/")).await.unwrap();
        let error = response.body_mut().bytes().await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_) | Error::Net(_)), "{error:?}");
        // It stays so.
        response.body_mut().bytes().await.unwrap_err();
    });
}

#[test]
fn requests_at_the_same_time_have_connections_of_their_own_and_leave_them_for_later() {
    let env = Environment::new();
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(10)));
    let (server, net) = (
        network.host("server").unwrap().net(),
        network.host("client").unwrap().net(),
    );
    let done = env.process(async move {
        let clock = server.clone();
        let slow = move |_: Request| {
            let clock = clock.clone();
            async move { clock.sleep(SECOND).await }
        };
        let running = Server::new(slow)
            .start(&server, &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let client = Client::new(&net);
        for round in 1..=2_u64 {
            let all = (0..5).map(|_| client.get("http://server/"));
            for response in futures_util::future::join_all(all).await {
                assert_eq!(response.unwrap().status(), StatusCode::NO_CONTENT);
            }
            // One round trip to connect in the first round, one to ask; and the second of the handler, for all at once.
            let passed = net.now().as_nanos() / 1_000_000;
            assert_eq!(passed, if round == 1 { 1040 } else { 2060 });
            assert_eq!(running.connections(), 5);
        }
    });
    env.run_until(&done).unwrap();
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    on_virtual(|near, far| async move {
        let (server, net) = (far.net(), near.net());
        let address = "tcp://server:80".parse().unwrap();
        let running = Server::new(echo).start(&server, &address).await.unwrap();
        let client = Client::new(&net);
        for _ in 0..3 {
            let mut response = client.post("http://server/", "again").await.unwrap();
            assert_eq!(response.body_mut().text().await.unwrap(), "again");
            net.sleep(29 * SECOND).await;
            assert_eq!(running.connections(), 1);
            net.sleep(2 * SECOND).await;
            assert_eq!(running.connections(), 0);
        }
    });
}

#[test]
fn a_server_stops_when_its_requests_are_answered() {
    on_virtual(|near, far| async move {
        let (server, net) = (far.net(), near.net());
        let clock = server.clone();
        let slow = move |_: Request| {
            let clock = clock.clone();
            async move {
                clock.sleep(3 * SECOND).await;
                "done"
            }
        };
        let running = Server::new(slow)
            .start(&server, &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let idle = net.connect(running.endpoint()).await.unwrap();
        let ask = async {
            let mut response = Client::new(&net).get("http://server/").await.unwrap();
            assert_eq!(response.headers()[header::CONNECTION], "close");
            response.body_mut().text().await.unwrap()
        };
        let stop = async {
            server.sleep(SECOND).await;
            let report = running.stop(10 * SECOND).await;
            (report.aborted, report.took)
        };
        let ((aborted, took), text) = tokio::join!(stop, ask);
        assert_eq!(text, "done");
        assert_eq!(aborted, 0);
        assert!((2 * SECOND..5 * SECOND).contains(&took), "{took:?}");
        drop(idle);
        // Nobody listens any more.
        net.connect(running.endpoint()).await.unwrap_err();
    });
}

#[test]
fn what_is_not_done_at_the_deadline_is_dropped() {
    on_virtual(|near, far| async move {
        let (server, net) = (far.net(), near.net());
        let never = |_: Request| std::future::pending::<()>();
        let running = Server::new(never)
            .start(&server, &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let stop = async {
            server.sleep(SECOND).await;
            running.stop(SECOND).await.aborted
        };
        let client = Client::new(&net);
        let (aborted, response) = tokio::join!(stop, client.get("http://server/"));
        assert_eq!(aborted, 1);
        response.unwrap_err();
    });
}

#[test]
fn handlers_that_stay_on_their_thread() {
    let env = Environment::new();
    let network = Network::new(&env);
    let (server, net) = (
        network.host("server").unwrap().net(),
        network.host("client").unwrap().net(),
    );
    let shutdown = Shutdown::new(&server);
    let served = env.try_process({
        let (env, shutdown) = (env.clone(), shutdown.clone());
        async move {
            // Neither the environment nor the counter can leave the thread.
            let count = Rc::new(Cell::new(0));
            let handler = move |_: Request| {
                let (env, count) = (env.clone(), Rc::clone(&count));
                async move {
                    env.timeout(SECOND).await;
                    count.set(count.get() + 1);
                    format!("{} at {}", count.get(), env.now())
                }
            };
            let listener = server.bind(&"tcp://server:80".parse()?).await?;
            Server::new(handler).serve(listener, &shutdown).await?;
            Ok::<_, sim_io::Failure>(())
        }
    });
    let seen = Rc::new(RefCell::new(Vec::new()));
    let client = env.try_process({
        let seen = Rc::clone(&seen);
        async move {
            let client = Client::new(&net);
            let both = tokio::join!(client.get("http://server/"), client.get("http://server/"));
            for response in [both.0, both.1] {
                let text = response?.body_mut().text().await?;
                seen.borrow_mut().push(text);
            }
            shutdown.stop(SECOND).await;
            Ok::<_, sim_io::Failure>(())
        }
    });
    env.run_until(&client).unwrap();
    env.run_until(&served).unwrap();
    assert_eq!(seen.take(), ["1 at 1.003000000s", "2 at 1.003000000s"]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let env = Environment::with_seed(seed);
        let network = Network::new(&env);
        let link = Link::default()
            .latency(Duration::from_millis(20))
            .jitter(Duration::from_millis(5))
            .loss(0.05);
        network.set_default_link(link);
        let (server, net) = (
            network.host("server").unwrap().net(),
            network.host("client").unwrap().net(),
        );
        let done = env.process(async move {
            let _running = Server::new(echo)
                .start(&server, &"tcp://server:80".parse().unwrap())
                .await
                .unwrap();
            let client = Client::new(&net);
            let all = (1..20_usize).map(|n| client.post("http://server/", vec![n as u8; 1000 * n]));
            for (n, response) in futures_util::future::join_all(all).await.into_iter().enumerate() {
                assert_eq!(
                    response.unwrap().body_mut().bytes().await.unwrap(),
                    vec![n as u8 + 1; 1000 * (n + 1)]
                );
            }
        });
        env.run_until(&done).unwrap();
        env.trace_hash()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_panic_is_a_500_and_a_slow_handler_a_503() {
    on_virtual(|near, far| async move {
        let net = near.net();
        let handler = |request: Request| async move {
            match request.uri().path() {
                "/panic" => panic!("of the handler"),
                _ => std::future::pending::<()>().await,
            }
        };
        let options = ServerOptions::default().handler_timeout(SECOND);
        let server = Server::with_options(handler, options);
        let running = server
            .start(&far.net(), &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        drop(far);
        let client = Client::new(&net);
        assert_eq!(client.get("http://server/panic").await.unwrap().status(), 500);
        assert_eq!(client.get("http://server/slow").await.unwrap().status(), 503);
        assert_eq!(running.connections(), 1);
    });
}

#[test]
fn replies() {
    let status = |reply: Response| reply.status().as_u16();
    assert_eq!(status("text".into_response()), 200);
    assert_eq!(
        "text".into_response().headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(status(().into_response()), 204);
    assert_eq!(status((StatusCode::CREATED, vec![1_u8]).into_response()), 201);
    assert_eq!(status(Err::<(), _>(StatusCode::NOT_FOUND).into_response()), 404);
    assert_eq!(status(Error::BodyTooLarge { limit: 1 }.into_response()), 413);
    assert_eq!(status(Error::NotText.into_response()), 400);
}

#[test]
fn time_limits() {
    on_virtual(|mut near, far| async move {
        // Half a header.
        let net = near.net();
        let serve = async { Server::new(echo).serve_connection(far).await.unwrap_err() };
        let ask = async {
            near.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
            read_to_end(&mut near).await
        };
        let (error, answer) = tokio::join!(serve, ask);
        assert!(matches!(error, Error::Protocol(_)), "{error:?}");
        assert_eq!(answer, b"");
        assert!(net.now().as_nanos() >= 30_000_000_000);
    });
    on_virtual(|mut near, far| async move {
        // Half a body.
        let serve = async { Server::new(echo).serve_connection(far).await };
        let ask = async {
            near.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
                .await
                .unwrap();
            String::from_utf8(read_to_end(&mut near).await).unwrap()
        };
        let (_, answer) = tokio::join!(serve, ask);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    });
    on_virtual(|near, far| async move {
        // A server that says nothing.
        let net = near.net();
        let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
        let silent = async {
            let stream = listener.accept().await.unwrap();
            far.net().sleep(60 * SECOND).await;
            drop(stream);
        };
        let client = Client::with_options(&net, ClientOptions::default().timeout(5 * SECOND));
        let (error, ()) = tokio::join!(client.get("http://server/"), silent);
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "no response within 5s");
    });
    on_virtual(|mut near, far| async move {
        // A client that asks for much and reads nothing.
        let large = |_: Request| async { vec![0; 10_000_000] };
        let server = Server::new(large);
        let serve = async { server.serve_connection(far).await.unwrap_err() };
        near.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        match serve.await {
            Error::Net(error) => assert_eq!(
                error.kind(),
                net_core::ErrorKind::Timeout(net_core::TimeoutKind::Write),
                "{error:?}"
            ),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_upgrade_takes_the_connection_over_with_what_was_read_ahead() {
    everywhere(|mut near, far| async move {
        let handler = |mut request: Request| async move {
            let pending = upgrade(&mut request);
            let net = About::of(&request).unwrap().net().clone();
            net.spawn(async move {
                let mut stream = pending.await.unwrap();
                let mut ahead = [0; 5];
                stream.read_exact(&mut ahead).await.unwrap();
                stream.write_all(&ahead).await.unwrap();
                stream.close(SECOND).await.unwrap();
            })
            .unwrap();
            let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
            for (name, value) in [("connection", "upgrade"), ("upgrade", "echo")] {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        };
        let server = Server::new(handler);
        let ask = async {
            let asked = "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nahead";
            let answer = answers(&mut near, asked).await;
            assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
            assert!(answer.ends_with("\r\n\r\nahead"), "{answer}");
        };
        let (served, ()) = tokio::join!(server.serve_connection(far), ask);
        served.unwrap();
    });
}

#[test]
fn urls_that_lead_nowhere() {
    on_tokio(|near, _far| async move {
        let client = Client::new(&near.net());
        for bad in ["", "/path", "server", "ftp://server/", "http://", "http://ser ver/"] {
            let error = client.get(bad).await.unwrap_err();
            assert!(matches!(error, Error::Url(_)), "{bad}: {error:?}");
        }
    });
}

#[test]
fn a_flood_of_pipelined_requests_is_answered_in_order() {
    everywhere(|mut near, far| async move {
        let count = Arc::new(AtomicUsize::new(0));
        let handler = {
            let count = Arc::clone(&count);
            move |_: Request| {
                let n = count.fetch_add(1, Ordering::Relaxed);
                async move { format!("<{n}>") }
            }
        };
        let server = Server::new(handler);
        let asked = "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(500);
        let (served, answer) = tokio::join!(server.serve_connection(far), answers(&mut near, &asked));
        served.unwrap();
        let mut rest = &*answer;
        for n in 0..500 {
            let (_, after) = rest.split_once(&format!("<{n}>")).unwrap();
            rest = after;
        }
        assert_eq!(rest, "");
    });
}

#[test]
fn functions_by_their_path() {
    everywhere(|mut near, far| async move {
        let functions = Functions::new()
            .function("greet", || async { Ok("Hi".to_owned()) })
            .function("a/page", || async { Ok("<p>".to_owned()) })
            .header("content-type", "text/html")
            .function("greet?loud", || async { Ok("HI".to_owned()) })
            .function("fails", || async { Err(sim_io::message::Fault::message_only("no")) })
            .function("panics", || async { panic!("no") });
        let server = Server::new(move |request| functions.answer(request));
        let asked = [
            "GET /greet",
            "POST /greet",
            "GET /a/page",
            "GET /greet?loud",
            "GET /greet?soft",
            "GET /fails",
            "GET /panics",
            "GET /",
            "GET //greet",
        ]
        .map(|what| format!("{what} HTTP/1.1\r\nHost: h\r\n\r\n"))
        .concat();
        let (served, answer) = tokio::join!(server.serve_connection(far), answers(&mut near, &asked));
        served.unwrap();
        let none = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n";
        let expected = format!("{text}Hi{text}Hi{page}<p>{text}HI{}", none.repeat(5));
        assert_eq!(answer, expected);
    });
}
