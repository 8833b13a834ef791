//! A web server that gives back what it is sent, to be tried with curl.
//!
//! ```text
//! cargo run -p sim-io --features http --example http_echo -- tcp://127.0.0.1:8080
//! curl -d hello http://127.0.0.1:8080/anything
//! ```
//!
//! It first prints `listening on ENDPOINT`, with the real port where 0 was asked for.

use std::io::Write;
use std::process::ExitCode;

use net_core::{Endpoint, Net};
use sim_io::http::{Body, Error, HeaderValue, Method, Request, Response, Server};
use sim_io::{Environment, Failure, RunError};

const USAGE: &str = "usage: http_echo [ENDPOINT]";

/// The body; and in a header what was asked.
async fn echo(mut request: Request) -> Result<Response, Error> {
    let line = format!("{} {}", request.method(), request.uri());
    let mut response = match *request.method() {
        Method::GET | Method::HEAD => Response::new("send me something\n".into()),
        _ => {
            let body: Body = request.body_mut().bytes().await?.into();
            Response::new(body)
        }
    };
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().insert("x-asked", line);
    }
    Ok(response)
}

async fn serve(net: Net, at: Endpoint) -> Result<(), Failure> {
    let running = Server::new(echo).start(&net, &at).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", running.endpoint())?;
    out.flush()?;
    // Until Ctrl-C.
    std::future::pending().await
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let at = arguments.next().unwrap_or_else(|| "tcp://127.0.0.1:8080".to_owned());
    if at == "-h" || at == "--help" {
        println!("{USAGE}\n\ngives back what it is sent; default: tcp://127.0.0.1:8080");
        return ExitCode::SUCCESS;
    }
    let (Ok(endpoint), None) = (at.parse(), arguments.next()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let env = Environment::in_real_time();
    let server = env.named_try_process("server", serve(env.net(), endpoint));
    match env.run_until(&server) {
        Ok(()) => ExitCode::SUCCESS,
        // The server is the whole program here: why it failed is enough.
        Err(RunError::Unhandled { failure, .. }) => {
            eprintln!("http_echo: {failure}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("http_echo: {error}");
            ExitCode::FAILURE
        }
    }
}
