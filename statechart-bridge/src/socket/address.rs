//! Addresses in events: `(host, port)`, or an endpoint as text.

use std::net::{IpAddr, Ipv4Addr};

use net_core::{Endpoint, Host};

use crate::Value;

/// Reads an address. An empty host means all interfaces, as in the BSD calls. What follows the port (the flow and the
/// scope of an IPv6 address) doesn't count.
pub(super) fn from_value(value: &Value) -> Result<Endpoint, String> {
    if let Some(text) = value.as_str() {
        return text.parse().map_err(|error: net_core::Error| error.to_string());
    }
    let Some([host, port, ..]) = value.items() else {
        return Err(format!(
            "the address must be (host, port) or text such as \"unix:/path\", not {}",
            value.kind()
        ));
    };
    let Some(host) = host.as_str() else {
        return Err(format!("the address's host must be a string, not {}", host.kind()));
    };
    let port = match port.as_int().map(u16::try_from) {
        Some(Ok(port)) => port,
        Some(Err(_)) => return Err(format!("the address's port must be from 0 to 65535, not {port}")),
        None => return Err(format!("the address's port must be an int, not {}", port.kind())),
    };
    if host.is_empty() {
        return Ok(Endpoint::Tcp(Host::Ip(Ipv4Addr::UNSPECIFIED.into()), port));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Endpoint::Tcp(Host::Ip(ip), port));
    }
    format!("tcp://{host}:{port}")
        .parse()
        .map_err(|error: net_core::Error| error.to_string())
}

/// TCP as `(host, port)`, all else as text.
pub(super) fn to_value(endpoint: &Endpoint) -> Value {
    match endpoint {
        Endpoint::Tcp(Host::Ip(ip), port) => Value::from((ip.to_string(), *port)),
        Endpoint::Tcp(Host::Name(name), port) => Value::from((name.clone(), *port)),
        other => Value::from(other.to_string()),
    }
}

/// The address of a datagram: `(host, port)` there too.
pub(super) fn datagram_to_value(endpoint: &Endpoint) -> Value {
    match endpoint {
        Endpoint::Udp(host, port) => to_value(&Endpoint::Tcp(host.clone(), *port)),
        other => to_value(other),
    }
}

/// The endpoint for a datagram socket: a host and a port mean UDP there.
pub(super) fn as_datagram(endpoint: Endpoint) -> Endpoint {
    match endpoint {
        Endpoint::Tcp(host, port) => Endpoint::Udp(host, port),
        other => other,
    }
}
