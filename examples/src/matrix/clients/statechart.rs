//! A client that is a statechart, from a file: each step of the conversation is a state.

use net_core::Endpoint;
use statechart_bridge::socket::boot_translation_service;
use statechart_bridge::{Document, Runtime, Value};

use crate::matrix::talk::Talk;
use crate::matrix::{Result, Site};

const MODEL: &str = include_str!("../../../models/talker.xml");

pub(super) async fn chart(site: &Site, to: &Endpoint, talk: &Talk) -> Result<()> {
    let document = Document::parse("talker.xml", MODEL)?;
    let pair = |send: &[u8], expect: &[u8]| Value::tuple([send.into(), expect.into()]);
    let rounds = talk.rounds.iter().map(|round| pair(&round.send, &round.expect));
    let arguments = [to.to_string().into(), Value::list(rounds), talk.farewell.clone().into()];
    let runtime = Runtime::builder(document.model(), &site.net)
        .arguments(arguments)
        .build()?;
    let service = boot_translation_service(&runtime, &site.net)?;
    let told = runtime.output_queue(&["told"]);
    runtime.start()?;
    let outcome = match told.next().await {
        Some(output) if &**output.event.name() == "done" => Ok(()),
        Some(output) => Err(output.event.parameter(0).as_str().unwrap_or("it failed").into()),
        None => Err("the statechart ended without a word".into()),
    };
    service.stop().await;
    runtime.stop();
    runtime.ended().await;
    outcome
}
