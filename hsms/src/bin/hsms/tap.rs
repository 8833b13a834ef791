//! `hsms tap`: between a host and an equipment.

use std::process::ExitCode;

use hsms::net_core::{Framed, FramedLimits, Sender, Stream, framing::LengthPrefix};
use hsms::{Bytes, Endpoint, Message, frame};

use crate::args::Tap;
use crate::show::{head, print, sml};
use crate::signal::Signals;
use crate::{failed, misused};

pub(crate) async fn run(arguments: &Tap) -> ExitCode {
    if arguments.listen.is_tls() {
        return misused("a tap listens in the clear: LISTEN can't be a tls:// endpoint, TARGET can");
    }
    let net = match arguments.tls.net(&arguments.target) {
        Ok(net) => net,
        Err(error) => return failed(&error),
    };
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let mut listener = match net.bind(&arguments.listen).await {
        Ok(listener) => listener,
        Err(error) => return failed(&format!("{error:#}")),
    };
    // A closed standard output is no reason not to let messages pass.
    let _ = print(&format!("listening on {}", listener.local()));
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok(host) => {
                    let target = arguments.target.clone();
                    if let Err(error) = net.spawn(connection(host, target)) {
                        return failed(&format!("{error:#}"));
                    }
                }
                Err(error) => return failed(&format!("{error:#}")),
            }
        }
    };
    tokio::select! {
        code = accepting => code,
        () = signals.any() => ExitCode::SUCCESS,
    }
}

/// Carries one connection; an end on one side is an end on the other.
async fn connection(host: Stream, target: Endpoint) {
    let peer = host.peer().clone();
    let equipment = match host.net().connect(&target).await {
        Ok(equipment) => equipment,
        Err(error) => return eprintln!("hsms: {peer} is turned away: {error:#}"),
    };
    let limits = || FramedLimits::default().high_water(usize::MAX).frame_timeout(None);
    let rules = frame::framing(u32::MAX as usize);
    let (mut host, mut equipment) = (
        Framed::with_limits(host, rules, limits()),
        Framed::with_limits(equipment, rules, limits()),
    );
    let (to_host, to_equipment) = (host.sender(), equipment.sender());
    let _ = print(&format!("// {peer} connected to {target}"));
    let ended = tokio::select! {
        ended = pass(&mut host, &to_equipment, format!("{peer} > {target}")) => ended,
        ended = pass(&mut equipment, &to_host, format!("{target} > {peer}")) => ended,
    };
    // What one side sent last reaches the other.
    let linger = std::time::Duration::from_secs(1);
    tokio::join!(host.close(linger), equipment.close(linger));
    let _ = print(&match ended {
        Ok(()) => format!("// {peer} disconnected from {target}"),
        Err(error) => format!("// {peer} disconnected from {target}: {error:#}"),
    });
}

async fn pass(from: &mut Framed<LengthPrefix>, to: &Sender<LengthPrefix>, way: String) -> hsms::Result<()> {
    while let Some((bytes, _)) = from.next().await? {
        let content: Bytes = bytes.into_bytes();
        to.send(&content).await?;
        let (header, _) = frame::split(&content)?;
        let message = Message::new(header, content.slice(hsms::Header::LENGTH..));
        let mut text = format!("// {way} {}", head(&message));
        if message.header.is_data() {
            text += "\n";
            text += &sml(&message);
        }
        let _ = print(&text);
    }
    Ok(())
}
