//! HTTP servers that echo what is posted: a statechart with the socket service, and hyper.

use super::net_core::runtime;
use super::{Door, Job, Progress};
use crate::Outcome;
use crate::sockets;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use net_core::{EventKind, Net};
use statechart_bridge::socket::boot_translation_service;
use statechart_bridge::{Document, Runtime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The model file.
const MODEL: &str = include_str!("../../../../statechart-bridge/models/http_echo_server.xml");

/// The model of statechart-bridge, its runtime and its socket service, on a current-thread runtime.
///
/// # Errors
/// If the model does not run.
pub fn statechart(door: Door, job: Job) -> Outcome<u64> {
    statechart_crowd(door, job, Arc::default())
}

/// The same, and tells how far it is.
///
/// # Errors
/// If the model does not run.
pub fn statechart_crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let all_ended = Arc::new(Notify::new());
        let last = Arc::clone(&all_ended);
        let net = Net::os().observed(move |event| match event.kind {
            EventKind::Opened { .. } => {
                progress.accepted.fetch_add(1, Ordering::Relaxed);
            }
            EventKind::Closed { .. } => {
                let ended = progress.ended.fetch_add(1, Ordering::Relaxed) + 1;
                if ended == job.connections as u64 {
                    last.notify_one();
                }
            }
            _ => {}
        });
        let document = Document::parse("http_echo_server.xml", MODEL)?;
        let requests = Arc::new(AtomicU64::new(0));
        let (counted, (print, printed)) = (Arc::clone(&requests), mpsc::channel());
        let listens = Arc::new(Notify::new());
        let told = Arc::clone(&listens);
        let controller = Runtime::builder(document.model(), &net)
            .arguments(document.arguments([("address", "127.0.0.1"), ("port", "0")])?)
            .on_log(move |line| {
                // It prints each request.
                if line.text.starts_with("Echo:") {
                    counted.fetch_add(1, Ordering::Relaxed);
                } else {
                    let _ = print.send(line.text.clone());
                    told.notify_one();
                }
            })
            .build()?;
        boot_translation_service(&controller, &net)?;
        controller.start()?;
        listens.notified().await;
        let line = printed.try_recv()?;
        let port = line.strip_prefix("listening on port ").ok_or("it does not listen")?;
        door.announce(([127, 0, 0, 1], port.parse()?).into())?;
        all_ended.notified().await;
        controller.stop();
        controller.ended().await;
        Ok(requests.load(Ordering::Relaxed))
    })
}

/// hyper on a current-thread runtime, a task for each connection.
///
/// # Errors
/// If the system refuses.
pub fn hyper(door: Door, job: Job) -> Outcome<u64> {
    let listener = door.listen_nonblocking()?;
    runtime()?.block_on(async move {
        let listener = TcpListener::from_std(listener)?;
        let requests = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::with_capacity(job.connections);
        for _ in 0..job.connections {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let requests = Arc::clone(&requests);
            let echo = move |request: Request<Incoming>| {
                requests.fetch_add(1, Ordering::Relaxed);
                async move {
                    let body = request.into_body().collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(Response::new(Full::new(body)))
                }
            };
            let serving = hyper::server::conn::http1::Builder::new();
            let connection = serving.serve_connection(TokioIo::new(stream), service_fn(echo));
            tasks.push(tokio::spawn(connection));
        }
        for task in tasks {
            // How a connection ends is the load's business.
            let _ = tokio::time::timeout(sockets::STALL, task).await?;
        }
        Ok(requests.load(Ordering::Relaxed))
    })
}
