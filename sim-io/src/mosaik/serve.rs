//! Playing a simulator on a connection.

use std::collections::BTreeMap;

use net_core::{Endpoint, Listener, Net, Stream};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Created, Inputs, Meta, Mosaik, Requested, Simulator};
use crate::codec::PythonJson;
use crate::codec::python::Value;
use crate::message::{ChannelError, FailureForm, Fault, Message, MessageOptions, Request};

/// The options of a channel to mosaik: packets of 10 MiB, failures as a list.
pub fn options() -> MessageOptions {
    MessageOptions::default()
        .max_packet_size(10 * 1024 * 1024)
        .failures(FailureForm::List)
}

/// Connects to a mosaik that waits for its simulator, and plays it until the scenario's end.
///
/// # Errors
/// If there is no connection, or something but mosaik's `stop` ended it.
pub async fn connect<S: Simulator>(net: &Net, mosaik: &Endpoint, simulator: &mut S) -> Result<(), ChannelError> {
    let stream = net.connect(mosaik).await.map_err(ChannelError::Net)?;
    serve(stream, options(), simulator).await
}

/// Waits for a mosaik that connects, and plays the simulator until the scenario's end.
///
/// # Errors
/// As [`connect`].
pub async fn listen<S: Simulator>(listener: &mut Listener, simulator: &mut S) -> Result<(), ChannelError> {
    let stream = listener.accept().await.map_err(ChannelError::Net)?;
    serve(stream, options(), simulator).await
}

/// Plays a simulator on a connection until mosaik stops it or closes in order.
///
/// A method that panics fails, and the simulator stays as the panic left it.
///
/// # Errors
/// What else ended the channel; [`Simulator::stop`] is called in any case.
pub async fn serve<S: Simulator>(
    stream: Stream,
    options: MessageOptions,
    simulator: &mut S,
) -> Result<(), ChannelError> {
    let message = Message::with_options(stream, PythonJson::new(), options).map_err(ChannelError::Net)?;
    let mosaik = Mosaik::new(message.clone());
    let mut meta = None;
    let ended = loop {
        match message.recv().await {
            Ok(Some(request)) => {
                let Ok((name, ..)) = request.content::<(String, IgnoredAny, IgnoredAny)>() else {
                    // The peer hears why.
                    continue;
                };
                if name == "stop" {
                    simulator.stop().await;
                    // mosaik may be gone already: it needs no answer.
                    let _ = request.succeed(&());
                    message.close();
                    return Ok(());
                }
                let outcome = net_core::catch_panic(answer(simulator, &mosaik, &mut meta, &name, &request)).await;
                let answered = outcome.unwrap_or_else(|panic| {
                    let why = panic.detail_text().unwrap_or("panic").to_owned();
                    Answer::Failed(Fault::message_only(why))
                });
                answered.send(request);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    simulator.stop().await;
    ended
}

/// What a call came to. Each has its own type on the wire.
enum Answer {
    Nothing,
    Meta(Meta),
    Entities(Vec<super::Entity>),
    Next(Option<i64>),
    Data(super::Outputs),
    Value(Value),
    Failed(Fault),
}

impl Answer {
    fn send(self, request: Request<PythonJson>) {
        fn succeed<T: Serialize + ?Sized>(request: Request<PythonJson>, value: &T) {
            // What can't be encoded the peer hears of; if the channel is over, `recv` tells.
            let _ = request.succeed(value);
        }
        match self {
            Self::Nothing => succeed(request, &()),
            Self::Meta(meta) => succeed(request, &meta),
            Self::Entities(entities) => succeed(request, &entities),
            Self::Next(time) => succeed(request, &time),
            Self::Data(data) => succeed(request, &data),
            Self::Value(value) => succeed(request, &value),
            Self::Failed(fault) => {
                let _ = request.fail(fault);
            }
        }
    }
}

fn read<T: DeserializeOwned>(request: &Request<PythonJson>, name: &str) -> Result<T, Fault> {
    request
        .content()
        .map_err(|error| Fault::new("TypeError", format!("bad arguments of {name}: {error}")))
}

async fn answer<S: Simulator>(
    simulator: &mut S,
    mosaik: &Mosaik,
    meta: &mut Option<Meta>,
    name: &str,
    request: &Request<PythonJson>,
) -> Answer {
    call(simulator, mosaik, meta, name, request)
        .await
        .unwrap_or_else(Answer::Failed)
}

type Named = BTreeMap<String, Value>;

async fn call<S: Simulator>(
    simulator: &mut S,
    mosaik: &Mosaik,
    meta: &mut Option<Meta>,
    name: &str,
    request: &Request<PythonJson>,
) -> Result<Answer, Fault> {
    if name == "init" {
        let (_, (sid,), mut params) = read::<(IgnoredAny, (String,), Named)>(request, name)?;
        let resolution = params.remove("time_resolution");
        let resolution = resolution.as_ref().and_then(Value::as_f64).unwrap_or(1.0);
        simulator.init(&sid, resolution, params).await?;
        let told = simulator.meta();
        *meta = Some(told.clone());
        return Ok(Answer::Meta(told));
    }
    let Some(meta) = meta else {
        return Err(Fault::message_only(format!("`{name}` before `init`")));
    };
    Ok(match name {
        "create" => {
            let (_, (number, model), params) = read::<(IgnoredAny, (usize, String), Named)>(request, name)?;
            let asked = Created { number, model, params };
            Answer::Entities(simulator.create(mosaik, asked).await?)
        }
        "setup_done" => {
            simulator.setup_done(mosaik).await?;
            Answer::Nothing
        }
        "step" => {
            let (_, (time, inputs, max_advance), _) =
                read::<(IgnoredAny, (i64, Inputs, i64), IgnoredAny)>(request, name)?;
            Answer::Next(simulator.step(mosaik, time, inputs, max_advance).await?)
        }
        "get_data" => {
            let (_, (asked,), _) = read::<(IgnoredAny, (Requested,), IgnoredAny)>(request, name)?;
            Answer::Data(simulator.get_data(mosaik, asked).await?)
        }
        name if meta.has_method(name) => {
            let (_, args, kwargs) = read::<(IgnoredAny, Vec<Value>, Named)>(request, name)?;
            Answer::Value(simulator.extra(mosaik, name, args, kwargs).await?)
        }
        _ => {
            let text = format!("this simulator has no method `{name}`");
            return Err(Fault::new("AttributeError", text));
        }
    })
}
