//! Endpoints as text: shown and read back equal, and bad text refused with an error that names it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use net_core::{Endpoint, ErrorKind, Host, Operation, UnixName};
use proptest::prelude::*;

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        any::<IpAddr>().prop_map(Host::Ip),
        "[a-zA-Z0-9_äß-][a-zA-Z0-9_äß.-]{0,62}"
            .prop_filter("digits and dots make an address", |name| name
                .parse::<IpAddr>()
                .is_err())
            .prop_map(|name| Host::Name(name.into())),
    ]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    // An abstract name may begin with anything; a path with `@` would be read as abstract, so no such path exists.
    let path = "[^@\0][^\0]{0,25}".prop_map(|path| UnixName::Path(path.into()));
    let name = "[^\0]{1,26}".prop_map(|name| UnixName::Abstract(name.into()));
    prop_oneof![
        (host(), any::<u16>()).prop_map(|(host, port)| Endpoint::Tcp(host, port)),
        (host(), any::<u16>()).prop_map(|(host, port)| Endpoint::Tls(host, port)),
        (host(), any::<u16>()).prop_map(|(host, port)| Endpoint::Udp(host, port)),
        path.prop_map(Endpoint::Unix),
        name.prop_map(Endpoint::Unix),
        ".{1,40}".prop_map(|name| Endpoint::Mem(name.into())),
    ]
}

proptest! {
    #[test]
    fn every_endpoint_is_read_back_as_it_was_shown(endpoint in endpoint()) {
        let text = endpoint.to_string();
        prop_assert_eq!(text.parse::<Endpoint>().unwrap(), endpoint);
    }

    #[test]
    fn arbitrary_text_is_read_or_refused_and_what_is_read_shows_itself_again(text in "(tcp://|tls://|udp://|unix:|unix:@|mem:)?\\PC{0,40}") {
        match text.parse::<Endpoint>() {
            Ok(endpoint) => prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                prop_assert_eq!(error.operation(), Operation::Parse);
                prop_assert!(error.to_string().contains(&format!("{text:?}")), "{}", error);
            }
        }
    }

    #[test]
    fn hostile_hosts_and_ports_never_panic(rest in "[\\[\\]:0-9a-f%+@/. -]{0,30}") {
        if let Ok(endpoint) = format!("tcp://{rest}").parse::<Endpoint>() {
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
        }
    }
}

#[test]
fn a_bad_endpoint_is_refused_with_an_error_that_names_it_and_says_what_is_wrong() {
    let long_unix = format!("unix:/{}", "x".repeat(107));
    let long_abstract = format!("unix:@{}", "x".repeat(108));
    let long_host = format!("tcp://{}:1", "x".repeat(254));
    for (text, what) in [
        ("", "does not begin with"),
        ("tcp:", "does not begin with"),
        ("TCP://host:1", "does not begin with"),
        ("http://host:1", "does not begin with"),
        (" tcp://host:1", "does not begin with"),
        ("tcp://", "no `:port`"),
        ("tcp://host", "no `:port`"),
        ("tcp://:1", "no host name"),
        ("tcp://[::1", "IPv6 address between"),
        ("tcp://[::1]", "no `:port`"),
        ("tcp://[::1:1", "IPv6 address between"),
        ("tcp://[]:1", "IPv6 address between"),
        ("tcp://[127.0.0.1]:1", "IPv6 address between"),
        ("tcp://[fe80::1%eth0]:1", "IPv6 address between"),
        ("tcp://[fe80::1%252]:1", "IPv6 address between"),
        ("tcp://::1:1", "needs brackets"),
        ("tcp://a:", "port that is not a number"),
        ("tcp://a:+1", "port that is not a number"),
        ("tcp://a:-1", "port that is not a number"),
        ("tcp://a: 1", "port that is not a number"),
        ("tcp://a:1 ", "port that is not a number"),
        ("tcp://a:65536", "port that is not a number"),
        ("tcp://a:70000", "port that is not a number"),
        ("tcp://a:0x10", "port that is not a number"),
        ("tcp://a:١", "port that is not a number"),
        ("tcp://a:1/path", "port that is not a number"),
        ("tcp://user@host:1", "other characters"),
        ("tcp://ho st:1", "other characters"),
        ("tcp://ho\0st:1", "other characters"),
        ("tcp://ho\nst:1", "other characters"),
        ("udp://:1", "no host name"),
        ("tls://:1", "no host name"),
        (&long_host, "no host name"),
        ("unix:", "no name after"),
        ("unix:@", "no name after"),
        ("unix:/a\0b", "NUL"),
        ("unix:@a\0b", "NUL"),
        (&long_unix, "107 bytes"),
        (&long_abstract, "107 bytes"),
        ("mem:", "no name after"),
    ] {
        let error = text.parse::<Endpoint>().expect_err(text);
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::InvalidInput, Operation::Parse)
        );
        let shown = error.to_string();
        assert!(shown.contains(what), "{text:?}: {shown}");
        // A very long text is shown by its beginning.
        let beginning: String = text.chars().take(100).collect();
        assert!(
            shown.contains(format!("{beginning:?}").trim_matches('"')),
            "{text:?}: {shown}"
        );
        assert!(shown.len() < 400 && !shown.contains(['\0', '\n']), "{shown:?}");
    }
}

#[test]
fn names_at_the_systems_limit_are_read() {
    for text in [
        format!("unix:/{}", "x".repeat(106)),
        format!("unix:@{}", "x".repeat(107)),
        format!("tcp://{}:1", "x".repeat(253)),
    ] {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
    }
}

#[test]
fn an_endpoint_tells_its_parts() {
    let tls: Endpoint = "tls://[::1]:5001".parse().unwrap();
    assert_eq!(tls.port(), Some(5001));
    assert_eq!(tls.host(), Some(&Host::Ip(Ipv6Addr::LOCALHOST.into())));
    assert_eq!(tls.socket_addr(), Some("[::1]:5001".parse().unwrap()));
    assert!(tls.is_tls());
    assert_eq!(tls.with_port(7).to_string(), "tls://[::1]:7");

    let named: Endpoint = "tcp://tool-1:5000".parse().unwrap();
    assert_eq!(named.host(), Some(&Host::Name(Arc::from("tool-1"))));
    assert_eq!(named.socket_addr(), None);
    assert!(!named.is_tls());

    let memory: Endpoint = "mem:tool".parse().unwrap();
    assert_eq!((memory.port(), memory.host(), memory.socket_addr()), (None, None, None));
    assert_eq!(memory.clone().with_port(7), memory);
}

#[test]
fn an_ipv4_address_in_ipv6_form_keeps_its_form() {
    let endpoint: Endpoint = "tcp://[::ffff:127.0.0.1]:80".parse().unwrap();
    assert_eq!(endpoint.to_string(), "tcp://[::ffff:127.0.0.1]:80");
}
