//! A server whose protocol is a statechart, from a file: bytes come as events, and capital letters leave as commands.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use net_core::Endpoint;
use statechart_bridge::socket::{SocketService, boot_translation_service};
use statechart_bridge::{Document, Output, Runtime};

use crate::matrix::{Result, Site};

const MODEL: &str = include_str!("../../../models/shout_server.xml");

#[derive(Debug)]
pub(super) struct Running {
    runtime: Runtime,
    service: SocketService,
    faults: Arc<Mutex<Vec<String>>>,
}

pub(super) async fn start(site: &Site) -> Result<(Endpoint, Running)> {
    let document = Document::parse("shout_server.xml", MODEL)?;
    let at = site.at.to_string();
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&faults);
    let runtime = Runtime::builder(document.model(), &site.net)
        .arguments([at.clone().into()])
        .on_fault(move |fault| {
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(fault.to_string());
        })
        .build()?;
    let service = boot_translation_service(&runtime, &site.net)?;
    let news = runtime.output_queue(&["told"]);
    let answered = site.count();
    runtime.add_output_listener(&["answered"], Arc::new(move |output: &Output| count(&answered, output)));
    runtime.start()?;
    let first = news.next().await.ok_or("the statechart ended before it listened")?;
    let ("listening", Some(port)) = (&**first.event.name(), first.event.parameter(0).as_int()) else {
        return Err(format!("the statechart says {first}").into());
    };
    let endpoint = format!("{}:{port}", at.strip_suffix(":0").unwrap_or(&at)).parse()?;
    let running = Running {
        runtime,
        service,
        faults,
    };
    Ok((endpoint, running))
}

fn count(answered: &AtomicU64, output: &Output) {
    let texts = output.event.parameter(0).as_int();
    answered.fetch_add(
        texts.and_then(|texts| texts.try_into().ok()).unwrap_or(0),
        Ordering::Relaxed,
    );
}

impl Running {
    pub(super) async fn stop(self) -> Result<()> {
        self.service.stop().await;
        self.runtime.stop();
        self.runtime.ended().await;
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match faults.first() {
            None => Ok(()),
            Some(first) => Err(format!("{} faults, the first: {first}", faults.len()).into()),
        }
    }
}
