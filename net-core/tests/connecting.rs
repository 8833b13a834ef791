//! Connecting by the script of a backend: several addresses, time limits, trying again; in virtual time.
#![cfg(feature = "os")]

mod common;

use std::time::Duration;

use common::backend::where_time_jumps;
use common::events::Events;
use common::poll_once;
use common::scripted::{Connect, Scripted};
use net_core::{Backoff, ConnectOptions, Endpoint, Error, ErrorKind, Operation, TimeoutKind};

where_time_jumps!(
    each_address_has_a_head_start_and_the_families_take_turns,
    the_family_of_the_best_address_begins,
    a_failure_lets_the_next_address_begin_at_once,
    a_slow_address_still_wins_if_it_answers_first,
    if_every_address_fails_the_first_error_is_told_with_the_endpoint,
    one_time_limit_holds_for_all_addresses_together,
    the_limits_of_connecting_can_be_set,
    dropping_a_connect_gives_every_attempt_up,
    a_name_without_an_address_is_an_error_of_its_own,
    trying_again_pauses_longer_each_time_and_succeeds_in_the_end,
    trying_again_ends_with_the_last_error_when_the_tries_are_used_up,
    what_trying_again_can_not_mend_is_told_at_once,
);

const REFUSED: i32 = 111;
const UNREACHABLE: i32 = 113;
const NO_PERMISSION: i32 = 13;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn at(milliseconds: u64, address: &str) -> (Duration, String) {
    (ms(milliseconds), address.to_owned())
}

fn endpoint() -> Endpoint {
    "tcp://tool:80".parse().unwrap()
}

async fn each_address_has_a_head_start_and_the_families_take_turns() {
    let backend = Scripted::new();
    backend.name(
        "tool",
        &["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", "192.0.2.3"],
    );
    for address in ["[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.1:80", "192.0.2.2:80"] {
        backend.connects(address, &[Connect::Hangs]);
    }
    backend.connects("192.0.2.3:80", &[Connect::Works(ms(30))]);
    let stream = backend.net().connect(&endpoint()).await.unwrap();
    assert_eq!(stream.peer().to_string(), "tcp://192.0.2.3:80");
    let order = [
        at(0, "[2001:db8::1]:80"),
        at(250, "192.0.2.1:80"),
        at(500, "[2001:db8::2]:80"),
        at(750, "192.0.2.2:80"),
        at(1000, "192.0.2.3:80"),
    ];
    assert_eq!(backend.attempts(), order);
    assert_eq!(backend.given_up().len(), 4);
    assert_eq!(backend.net().now().as_nanos(), 1_030_000_000);
}

async fn the_family_of_the_best_address_begins() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    for address in ["192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"] {
        backend.connects(address, &[Connect::Fails(ms(0), REFUSED)]);
    }
    backend.net().connect(&endpoint()).await.unwrap_err();
    let order: Vec<String> = backend.attempts().into_iter().map(|(_, to)| to).collect();
    assert_eq!(order, ["192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.2:80"]);
}

async fn a_failure_lets_the_next_address_begin_at_once() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1", "192.0.2.2"]);
    backend.connects("192.0.2.1:80", &[Connect::Fails(ms(20), REFUSED)]);
    backend.connects("192.0.2.2:80", &[Connect::Works(ms(5))]);
    let stream = backend.net().connect(&endpoint()).await.unwrap();
    assert_eq!(stream.peer().to_string(), "tcp://192.0.2.2:80");
    assert_eq!(backend.attempts(), [at(0, "192.0.2.1:80"), at(20, "192.0.2.2:80")]);
}

async fn a_slow_address_still_wins_if_it_answers_first() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1", "192.0.2.2"]);
    backend.connects("192.0.2.1:80", &[Connect::Works(ms(300))]);
    backend.connects("192.0.2.2:80", &[Connect::Works(ms(300))]);
    let stream = backend.net().connect(&endpoint()).await.unwrap();
    assert_eq!(stream.peer().to_string(), "tcp://192.0.2.1:80");
    assert_eq!(backend.given_up(), ["192.0.2.2:80"]);
}

async fn if_every_address_fails_the_first_error_is_told_with_the_endpoint() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    backend.connects("192.0.2.1:80", &[Connect::Fails(ms(300), UNREACHABLE)]);
    backend.connects("192.0.2.2:80", &[Connect::Fails(ms(400), REFUSED)]);
    backend.connects("192.0.2.3:80", &[Connect::Fails(ms(0), NO_PERMISSION)]);
    let error = backend.net().connect(&endpoint()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Unreachable, Operation::Connect)
    );
    assert_eq!(
        (error.endpoint(), error.errno()),
        (Some(&endpoint()), Some(UNREACHABLE))
    );
    assert_eq!(backend.attempts().len(), 3);
    assert!(backend.given_up().is_empty());
}

async fn one_time_limit_holds_for_all_addresses_together() {
    let backend = Scripted::new();
    let addresses: Vec<String> = (1..=60).map(|i| format!("192.0.2.{i}")).collect();
    backend.name("tool", &addresses.iter().map(String::as_str).collect::<Vec<_>>());
    for address in &addresses {
        backend.connects(&format!("{address}:80"), &[Connect::Hangs]);
    }
    let (net, events) = Events::of(&backend.net());
    let error = net.connect(&endpoint()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout(TimeoutKind::Connect), Operation::Connect)
    );
    assert_eq!(error.endpoint(), Some(&endpoint()));
    assert_eq!(net.now().as_nanos(), 10_000_000_000);
    assert_eq!(backend.given_up().len(), backend.attempts().len());
    // What never opened has no events.
    assert!(events.all().is_empty());
}

async fn the_limits_of_connecting_can_be_set() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1", "192.0.2.2"]);
    backend.connects("192.0.2.1:80", &[Connect::Hangs]);
    backend.connects("192.0.2.2:80", &[Connect::Hangs]);
    let options = ConnectOptions::default().attempt_delay(ms(10)).timeout(ms(40));
    let error = backend.net().connect_with(&endpoint(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Connect));
    assert_eq!(backend.attempts(), [at(0, "192.0.2.1:80"), at(10, "192.0.2.2:80")]);
    assert_eq!(backend.net().now().as_nanos(), 40_000_000);
}

async fn dropping_a_connect_gives_every_attempt_up() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1"]);
    backend.connects("192.0.2.1:80", &[Connect::Hangs]);
    let (net, to) = (backend.net(), endpoint());
    let mut connecting = Box::pin(net.connect(&to));
    assert!(poll_once(&mut connecting).await.is_none());
    drop(connecting);
    assert_eq!(backend.given_up(), ["192.0.2.1:80"]);
}

async fn a_name_without_an_address_is_an_error_of_its_own() {
    let backend = Scripted::new();
    backend.name("empty", &[]);
    for text in ["tcp://unknown:80", "tcp://empty:80", "tls://unknown:80"] {
        let to: Endpoint = text.parse().unwrap();
        let error = backend.net().connect(&to).await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::Resolve, Some(&to)));
        assert!(error.is_transient());
    }
    let error = backend
        .net()
        .connect(&"udp://192.0.2.1:80".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("Net::datagram"), "{error}");
}

async fn trying_again_pauses_longer_each_time_and_succeeds_in_the_end() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1"]);
    let refused = Connect::Fails(ms(0), REFUSED);
    backend.connects(
        "192.0.2.1:80",
        &[refused, refused, refused, refused, refused, Connect::Works(ms(0))],
    );
    let (net, to) = (backend.net(), endpoint());
    let backoff = Backoff::default().first(ms(100)).max(ms(500));
    let mut numbers = Vec::new();
    let outcome = net
        .retry(&backoff, |number| {
            numbers.push(number);
            net.connect(&to)
        })
        .await;
    outcome.unwrap();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    // The scripted backend's chance never shortens a pause.
    let began: Vec<Duration> = backend.attempts().into_iter().map(|(at, _)| at).collect();
    assert_eq!(began, [ms(0), ms(100), ms(300), ms(700), ms(1200), ms(1700)]);
}

async fn trying_again_ends_with_the_last_error_when_the_tries_are_used_up() {
    let backend = Scripted::new();
    backend.name("tool", &["192.0.2.1"]);
    let script = [Connect::Fails(ms(0), REFUSED), Connect::Fails(ms(0), UNREACHABLE)];
    backend.connects("192.0.2.1:80", &script);
    let (net, to) = (backend.net(), endpoint());
    let backoff = Backoff::default().attempts(2);
    let error = net.retry(&backoff, |_| net.connect(&to)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(backend.attempts().len(), 2);
}

async fn what_trying_again_can_not_mend_is_told_at_once() {
    let backend = Scripted::new();
    let net = backend.net();
    let mut tries = 0;
    let outcome: Result<(), Error> = net
        .retry(&Backoff::default(), |_| {
            tries += 1;
            std::future::ready(Err(Error::new(ErrorKind::Permission, Operation::Connect)))
        })
        .await;
    assert_eq!((outcome.unwrap_err().kind(), tries), (ErrorKind::Permission, 1));
}

#[test]
fn pauses_stay_within_their_bounds_whatever_the_settings() {
    for factor in [f64::NAN, -1.0, 0.0, 1.0, 2.0, f64::INFINITY] {
        for jitter in [f64::NAN, -1.0, 0.0, 0.5, 1.0, 7.0, f64::INFINITY] {
            for failures in [0, 1, 2, 1000, u32::MAX] {
                for random in [0, 1, u64::MAX] {
                    for max in [Duration::ZERO, ms(1000), Duration::MAX] {
                        let backoff = Backoff::default().factor(factor).jitter(jitter).max(max);
                        assert!(
                            backoff.pause(failures, random) <= max,
                            "{backoff:?} {failures} {random}"
                        );
                    }
                }
            }
        }
    }
}
