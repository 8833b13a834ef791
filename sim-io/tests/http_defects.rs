//! What the original's HTTP does wrong, and ours does not; each test bears the number of its defect.
#![cfg(feature = "http")]

mod protocol_common;

use std::time::Duration;

use net_core::{Endpoint, Net, Stream};
use protocol_common::{everywhere, on_tokio, on_virtual, read_to_end};
use sim_io::http::{
    Body, Client, ClientOptions, Error, HeaderValue, Request, Response, Server, ServerOptions, StatusCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Answers with what it got.
async fn echo(mut request: Request) -> Result<String, Error> {
    let method = request.method().clone();
    Ok(format!("{method} {}", request.body_mut().text().await?))
}

/// Never looks at a body.
async fn deaf(_: Request) -> &'static str {
    "deaf"
}

/// What the server answers to these bytes, after which the client has nothing more to say.
async fn answers(mut near: Stream, asked: impl AsRef<[u8]>) -> String {
    // The server may close before it has read everything.
    let _ = near.write_all(asked.as_ref()).await;
    let _ = near.shutdown().await;
    String::from_utf8(read_to_end(&mut near).await).unwrap()
}

/// The status and the body of each response.
fn parse(mut text: &str) -> Vec<(u16, String)> {
    let mut responses = Vec::new();
    while !text.is_empty() {
        let (head, rest) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no header in {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        responses.push((status, rest[..length].to_owned()));
        text = &rest[length..];
    }
    responses
}

/// What a server with this handler answers, on each backend.
macro_rules! served {
    ($server:expr, $asked:expr => $($expected:expr),* $(,)?) => {
        everywhere(|near, far| async move {
            let server = $server;
            let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, $asked));
            let expected: &[(u16, &str)] = &[$($expected),*];
            let parsed = parse(&answer);
            let parsed: Vec<_> = parsed.iter().map(|(status, body)| (*status, &**body)).collect();
            assert_eq!(parsed, expected, "{answer}");
        })
    };
}

/// What a client makes of a server that answers these bytes and closes.
fn received<F: Future<Output = ()> + 'static>(
    answer: &'static str,
    check: impl Fn(Result<Response, Error>) -> F + Clone + 'static,
) {
    let ends = move |near: Stream, far: Stream| {
        let check = check.clone();
        async move {
            let (net, server, at) = (near.net(), far.net(), far.local().clone().with_port(0));
            let (asked, response) = exchange(net, server, at, answer).await;
            assert!(asked.starts_with("GET /x HTTP/1.1\r\n"), "{asked}");
            check(response).await;
        }
    };
    on_virtual(ends.clone());
    on_tokio(ends);
}

async fn exchange(net: Net, server: Net, at: Endpoint, answer: &str) -> (String, Result<Response, Error>) {
    let mut listener = server.bind(&at).await.unwrap();
    let url = listener.local().to_string().replace("tcp://", "http://") + "/x";
    let serve = async {
        let mut stream = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let n = stream.read(&mut asked).await.unwrap();
        asked.truncate(n);
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(asked).unwrap()
    };
    let client = Client::new(&net);
    tokio::join!(serve, async { client.get(&url).await })
}

#[test]
fn d20_header_names_in_any_case() {
    served!(Server::new(echo), "POST / HTTP/1.1\r\nhOST: h\r\ncontent-length: 3\r\n\r\nabc" => (200, "POST abc"));
    received("HTTP/1.1 200 OK\r\nCONTENT-length: 3\r\n\r\nabcd", |response| async {
        assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "abc");
    });
}

#[test]
fn d20_chunk_extensions_and_trailers() {
    served!(
        Server::new(echo),
        concat!(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            "3;name=value\r\nabc\r\n2;x=\"y;z\"\r\nde\r\n0;last\r\nX-Sum: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        ) => (200, "POST abcde"), (200, "GET ")
    );
    received(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1;a\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
        |response| async {
            let mut response = response.unwrap();
            assert_eq!(response.body_mut().text().await.unwrap(), "a");
            assert_eq!(response.body().trailers().unwrap()["x-sum"], "1");
        },
    );
}

#[test]
fn d20_a_body_that_ends_with_the_connection() {
    received("HTTP/1.1 200 OK\r\n\r\nall that comes", |response| async {
        assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "all that comes");
    });
    received("HTTP/1.0 200 OK\r\n\r\nold", |response| async {
        assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "old");
    });
    // One whose length was told is not taken for whole.
    received("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", |response| async {
        response.unwrap().body_mut().text().await.unwrap_err();
    });
}

#[test]
fn d20_put_puts() {
    on_virtual(|near, far| async move {
        let running = Server::new(echo)
            .start(&far.net(), &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let mut response = Client::new(&near.net()).put("http://server/", "it").await.unwrap();
        assert_eq!(response.body_mut().text().await.unwrap(), "PUT it");
        drop(running);
    });
}

#[test]
fn d20_the_status_is_a_number_and_headers_may_come_twice() {
    received(
        "HTTP/1.1 404 Nowhere\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        |response| async {
            let response = response.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            assert_eq!(response.status().as_u16(), 404);
            let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
            assert_eq!(cookies, ["a", "b"]);
        },
    );
}

#[test]
fn d20_expect_100_continue() {
    everywhere(|mut near, far| async move {
        let server = Server::new(echo);
        let ask = async {
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
            near.write_all(head.as_bytes()).await.unwrap();
            let mut leave = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
            near.read_exact(&mut leave).await.unwrap();
            assert_eq!(leave, b"HTTP/1.1 100 Continue\r\n\r\n");
            answers(near, "abc").await
        };
        let (served, answer) = tokio::join!(server.serve_connection(far), ask);
        served.unwrap();
        assert_eq!(parse(&answer), [(200, "POST abc".to_owned())]);
    });
    // Who does not want the body does not give leave.
    everywhere(|mut near, far| async move {
        let server = Server::new(deaf);
        let ask = async {
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
            near.write_all(head.as_bytes()).await.unwrap();
            let answer = read_to_end(&mut near).await;
            drop(near);
            String::from_utf8(answer).unwrap()
        };
        let (_, answer) = tokio::join!(server.serve_connection(far), ask);
        assert_eq!(parse(&answer), [(200, "deaf".to_owned())]);
    });
    // A client passes over it.
    received(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
        |response| async {
            assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "!");
        },
    );
}

#[test]
fn d20_head_204_and_304_have_no_body() {
    everywhere(|near, far| async move {
        let handler = |request: Request| async move {
            let status = match request.uri().path() {
                "/204" => StatusCode::NO_CONTENT,
                "/304" => StatusCode::NOT_MODIFIED,
                _ => StatusCode::OK,
            };
            let mut response = Response::new(Body::from("12345"));
            *response.status_mut() = status;
            response
        };
        let server = Server::new(handler);
        let asked =
            ["HEAD /", "GET /204", "GET /304", "GET /"].map(|what| format!("{what} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked.concat()));
        let heads: Vec<_> = answer.split("\r\n\r\n").collect();
        assert_eq!(heads.len(), 5, "{answer}");
        assert!(heads[0].contains("content-length: 5"), "{answer}");
        assert!(
            heads[1].starts_with("HTTP/1.1 204") && !heads[1].contains("content-length"),
            "{answer}"
        );
        assert!(heads[2].starts_with("HTTP/1.1 304"), "{answer}");
        assert_eq!(heads[4], "12345");
    });
    received(
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        |response| async {
            assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "");
        },
    );
}

#[test]
fn d20_connection_close() {
    served!(
        Server::new(echo),
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n" => (200, "GET ")
    );
    served!(Server::new(echo), "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n" => (200, "GET "));
    // The server's wish counts too: the second request has a connection of its own.
    on_virtual(|near, far| async move {
        let handler = |_: Request| async {
            let mut response = Response::new("once".into());
            response
                .headers_mut()
                .insert("connection", HeaderValue::from_static("close"));
            response
        };
        let running = Server::new(handler)
            .start(&far.net(), &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let client = Client::new(&near.net());
        for _ in 0..2 {
            let mut response = client.get("http://server/").await.unwrap();
            assert_eq!(response.body_mut().text().await.unwrap(), "once");
        }
        near.net().sleep(Duration::from_secs(1)).await;
        assert_eq!(running.connections(), 0);
    });
}

#[test]
fn d20_a_host_is_sent_and_asked_for() {
    on_virtual(|near, far| async move {
        let at = far.local().clone().with_port(8080);
        let (asked, response) = exchange(near.net(), far.net(), at, "HTTP/1.1 204 x\r\n\r\n").await;
        response.unwrap();
        assert!(asked.to_lowercase().contains("\r\nhost: "), "{asked}");
        assert!(asked.contains(":8080\r\n"), "{asked}");
    });
    served!(Server::new(echo), "GET / HTTP/1.1\r\n\r\n" => (400, "the request has no Host\n"));
    served!(Server::new(echo), "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" => (400, "the request has several Hosts\n"));
}

#[test]
fn d20_a_body_that_nobody_reads_is_skipped() {
    let large = "x".repeat(100_000);
    let asked = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n{large}\
         POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n{large}\r\n0\r\n\r\n\
         POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n\
         GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    );
    everywhere(move |near, far| {
        let asked = asked.clone();
        async move {
            let server = Server::new(deaf);
            let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            assert_eq!(parse(&answer), vec![(200, "deaf".to_owned()); 4]);
        }
    });
    // On the client's side: the connection is found again behind it.
    on_virtual(|near, far| async move {
        let handler = |_: Request| async { vec![0_u8; 100_000] };
        let running = Server::new(handler)
            .start(&far.net(), &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let client = Client::new(&near.net());
        for _ in 0..3 {
            assert_eq!(client.get("http://server/").await.unwrap().status(), 200);
            near.net().sleep(Duration::from_secs(1)).await;
            assert_eq!(running.connections(), 1);
        }
        // One without end is not: that connection is closed.
        let client = Client::with_options(&near.net(), ClientOptions::default().max_skipped(1000));
        assert_eq!(client.get("http://server/").await.unwrap().status(), 200);
        near.net().sleep(Duration::from_secs(5)).await;
        assert_eq!(running.connections(), 1, "only the first client's");
    });
}

#[test]
fn d20_a_body_without_end_is_not_skipped_but_closed() {
    everywhere(|near, far| async move {
        let server = Server::new(deaf);
        let asked = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n{}",
            "x".repeat(300_000)
        );
        let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
        assert_eq!(parse(&answer), [(200, "deaf".to_owned())]);
    });
}

#[test]
fn d21_ambiguous_framing_is_refused() {
    for framing in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 3\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content Length: 3\r\n",
    ] {
        everywhere(move |near, far| async move {
            let server = Server::new(echo);
            let asked = format!("POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\nabc");
            let (served, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            assert_eq!(parse(&answer), [(400, String::new())], "{framing}");
            assert!(matches!(served, Err(Error::Protocol(_))), "{framing}: {served:?}");
        });
    }
    served!(Server::new(echo), "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => (400, ""));
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabcd",
    ] {
        received(answer, |response| async {
            let error = response.unwrap_err();
            assert!(matches!(error, Error::Protocol(_)), "{error:?}");
        });
    }
}

const BOTH: &str = "both Content-Length and Transfer-Encoding are there, so that it may end in two places\n";

#[test]
fn d21_a_length_beside_chunks_is_refused() {
    for framing in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "transfer-encoding:chunked\r\nCONTENT-LENGTH:   3  \r\n",
        "Content-Length: 11\r\nContent-Length: 11\r\nX: y\r\nTransfer-Encoding: CHUNKED\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: nonsense\r\n",
        // Lines that end with LF alone pass for lines.
        "Content-Length: 3\nTransfer-Encoding: chunked\n",
    ] {
        everywhere(move |near, far| async move {
            let server = Server::new(echo);
            let asked = format!("POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
            let (served, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            assert_eq!(parse(&answer), [(400, BOTH.to_owned())], "{framing}");
            assert!(answer.contains("connection: close"), "{answer}");
            assert!(matches!(served, Err(Error::Framing(_))), "{framing}: {served:?}");
        });
    }
}

#[test]
fn d21_an_ambiguous_request_is_found_behind_others() {
    // What the bodies of the others say counts for nothing.
    let decoy = "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = decoy.len();
    let asked = format!(
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n\
         POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{decoy}\
         POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{length:X} ;a=b\r\n{decoy}\r\n2\r\nde\r\n0\r\n\
         Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n\
         POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n\
         POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n\
         GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    );
    everywhere(move |near, far| {
        let asked = asked.clone();
        async move {
            let server = Server::new(echo);
            let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            let expected = [
                (200, "GET ".to_owned()),
                (200, format!("POST {decoy}")),
                (200, format!("POST {decoy}de")),
                (200, "POST ".to_owned()),
                (400, BOTH.to_owned()),
            ];
            assert_eq!(parse(&answer), expected, "{answer}");
        }
    });
}

#[test]
fn d21_codings_that_nobody_understands_are_refused() {
    for (coding, status) in [
        ("gzip, chunked", 501),
        ("gzip\r\nTransfer-Encoding: chunked", 501),
        ("identity, chunked", 501),
        ("chunked, chunked", 400),
        (", chunked", 400),
        ("chunked\r\nTransfer-Encoding: chunked", 400),
    ] {
        everywhere(move |near, far| async move {
            let asked = format!(
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n1\r\na\r\n0\r\n\r\n{}",
                "GET / HTTP/1.1\r\n\r\n"
            );
            let server = Server::new(echo);
            let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            let parsed = parse(&answer);
            assert_eq!(parsed.len(), 1, "{coding}: {answer}");
            assert_eq!(parsed[0].0, status, "{coding}: {answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        });
    }
}

#[test]
fn d21_a_client_refuses_what_may_end_in_two_places() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    ] {
        received(answer, move |response| async move {
            let error = response.unwrap_err();
            assert!(matches!(error, Error::Framing(_)), "{answer}: {error:?}");
        });
    }
    // Where there is no body nothing is ambiguous.
    received(
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        |response| async {
            assert_eq!(response.unwrap().body_mut().text().await.unwrap(), "");
        },
    );
    // The connection is not used again.
    on_virtual(|near, far| async move {
        let net = near.net();
        let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
        let serve = async {
            let mut stream = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            read_to_end(&mut stream).await
        };
        let client = Client::new(&net);
        let (rest, response) = tokio::join!(serve, client.get("http://server/"));
        assert!(rest.is_empty());
        response.unwrap_err();
    });
}

#[test]
fn d21_bad_chunks_are_refused() {
    for chunks in [
        "x\r\nabc\r\n",
        "-3\r\nabc\r\n",
        "ffffffffffffffffff\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
    ] {
        everywhere(move |near, far| async move {
            let server = Server::new(echo);
            let asked = format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
            assert!(answer.starts_with("HTTP/1.1 400 "), "{chunks:?}: {answer}");
        });
    }
}

#[test]
fn d21_limits() {
    everywhere(|near, far| async move {
        let server = Server::with_options(echo, ServerOptions::default().max_body(10));
        let asked = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901";
        let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    });
    everywhere(|near, far| async move {
        let server = Server::with_options(echo, ServerOptions::default().max_body(10));
        let asked =
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n78901\r\n0\r\n\r\n";
        let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    });
    everywhere(|near, far| async move {
        let server = Server::new(echo);
        let asked = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        let (_, answer) = tokio::join!(server.serve_connection(far), answers(near, asked));
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    });
    received(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc",
        |response| async {
            let error = response.unwrap().body_mut().bytes().await.unwrap_err();
            assert!(matches!(error, Error::BodyTooLarge { limit: 16_777_216 }), "{error:?}");
        },
    );
}
