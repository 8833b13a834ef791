//! Connecting: look-up, several addresses side by side (RFC 8305), one time limit over all, TLS on top.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use crate::backend::{Address, BoxFuture, Plain};
use crate::net::no_stream;
use crate::{ConnectOptions, Endpoint, Error, ErrorKind, Net, Operation, Result, Sleep, Stream, TimeoutKind};

pub(crate) async fn connect(net: &Net, to: &Endpoint, options: &ConnectOptions) -> Result<Stream> {
    let plain = match net.within(options.timeout, plain(net, to, options)).await {
        Some(plain) => plain?,
        None => {
            return Err(Error::new(ErrorKind::Timeout(TimeoutKind::Connect), Operation::Connect)
                .at(to)
                .detail(format!("nothing after {:?}", options.timeout)));
        }
    };
    let stream = Stream::open(&net.0, plain, to, false);
    match to {
        Endpoint::Tls(host, _) => encrypt(net, to, &host_name(host), options, stream).await,
        _ => Ok(stream),
    }
}

#[cfg(feature = "tls")]
async fn encrypt(net: &Net, to: &Endpoint, host: &str, options: &ConnectOptions, mut stream: Stream) -> Result<Stream> {
    let tls = match options.tls.clone().or_else(|| net.0.client_tls().cloned()) {
        Some(tls) => tls,
        None => crate::TlsClient::new().map_err(|error| error.at(to))?,
    };
    let name = tls.name_for(host).map_err(|error| error.at(to))?;
    let limit = options.handshake_timeout;
    stream.begin_handshake(tls.lenient(), |net, plain| {
        crate::tls::connect(net, plain, tls, name, limit)
    })?;
    stream.handshake().await?;
    Ok(stream)
}

#[cfg(not(feature = "tls"))]
async fn encrypt(_: &Net, to: &Endpoint, _: &str, _: &ConnectOptions, _: Stream) -> Result<Stream> {
    Err(Error::new(ErrorKind::Unsupported, Operation::Connect)
        .at(to)
        .detail("this build has no TLS: enable net-core's feature `tls`"))
}

/// The name that a certificate must bear: a host without an IPv6 address's brackets.
fn host_name(host: &crate::Host) -> String {
    match host {
        crate::Host::Ip(address) => address.to_string(),
        crate::Host::Name(name) => name.to_string(),
    }
}

async fn plain(net: &Net, to: &Endpoint, options: &ConnectOptions) -> Result<Plain> {
    let failed = |error| Error::from_io(Operation::Connect, error).at(to);
    match to {
        Endpoint::Mem(name) => net.names().connect(name).await.map_err(failed),
        Endpoint::Udp(..) => Err(no_stream(Operation::Connect, to)),
        Endpoint::Unix(name) => net
            .backend()
            .connect(&Address::Unix(name.clone()), None, &options.socket)
            .await
            .map_err(failed),
        Endpoint::Tcp(..) | Endpoint::Tls(..) => {
            let addresses = in_turn(net.resolve(to).await?);
            race(net, &addresses, options).await.map_err(failed)
        }
    }
}

/// IPv6 and IPv4 in turn, beginning with the family of the best address (RFC 8305, section 4).
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<Address> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let count = addresses.len();
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::with_capacity(count);
    while mixed.len() < count {
        mixed.extend(first.next());
        mixed.extend(second.next());
    }
    mixed.into_iter().map(Address::Ip).collect()
}

/// Tries the addresses one after the other, each with a head start; the first connection wins, a failure lets the next
/// begin at once. If all fail, the first error is the one to tell: it is about the best address.
async fn race(net: &Net, addresses: &[Address], options: &ConnectOptions) -> io::Result<Plain> {
    let backend = net.backend();
    let mut waiting = addresses.iter();
    let mut running: Vec<BoxFuture<'_, io::Result<Plain>>> = Vec::new();
    let mut head_start: Option<Sleep> = None;
    let mut first_error = None;
    poll_fn(|cx| {
        loop {
            let mut index = 0;
            while index < running.len() {
                match running[index].as_mut().poll(cx) {
                    Poll::Pending => index += 1,
                    Poll::Ready(Ok(plain)) => return Poll::Ready(Ok(plain)),
                    Poll::Ready(Err(error)) => {
                        first_error.get_or_insert(error);
                        drop(running.remove(index));
                        head_start = None;
                    }
                }
            }
            if let Some(sleep) = &mut head_start {
                if Pin::new(sleep).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                head_start = None;
            }
            match waiting.next() {
                Some(address) => {
                    running.push(backend.connect(address, options.local, &options.socket));
                    if waiting.len() > 0 {
                        head_start = Some(net.sleep(options.attempt_delay));
                    }
                }
                None if running.is_empty() => {
                    return Poll::Ready(Err(first_error
                        .take()
                        .unwrap_or(io::ErrorKind::AddrNotAvailable.into())));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}
