//! The examples print what SimPy 4.1.2 prints for the same models (`simpy/examples.py`).

use std::process::Command;

/// Runs an example that cargo has built for these tests.
#[track_caller]
fn prints(name: &str, simpy: &str) {
    prints_with(name, &[], simpy);
}

#[track_caller]
fn prints_with(name: &str, arguments: &[&str], simpy: &str) {
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let example = examples.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&example).args(arguments).output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo build -p sim-io --examples` builds it",
            example.display()
        )
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), simpy);
}

#[test]
fn car_charging() {
    prints("car_charging", include_str!("simpy/expected/car_charging.txt"));
}

#[test]
fn bank_renege() {
    prints("bank_renege", include_str!("simpy/expected/bank_renege.txt"));
}

#[test]
fn machine_shop() {
    prints("machine_shop", include_str!("simpy/expected/machine_shop.txt"));
}

#[test]
fn movie_renege() {
    prints("movie_renege", include_str!("simpy/expected/movie_renege.txt"));
}

#[test]
fn gas_station() {
    prints("gas_station", include_str!("simpy/expected/gas_station.txt"));
}

#[test]
#[cfg(feature = "reactor")]
fn sockets() {
    // What simpy.io's own example prints.
    for arguments in [&[] as &[&str], &["--virtual"], &["--real"], &["--poll"], &["--select"]] {
        prints_with("sockets", arguments, "ohai\ncya\n");
    }
}

#[test]
#[cfg(feature = "reactor")]
fn packets() {
    for arguments in [&[] as &[&str], &["--virtual"], &["--real"], &["--poll"], &["--select"]] {
        prints_with("packets", arguments, "ohai\ncya\n");
    }
}

#[test]
#[cfg(all(feature = "json", feature = "reactor"))]
fn messages() {
    for arguments in [&[] as &[&str], &["--virtual"], &["--real"], &["--poll"], &["--select"]] {
        prints_with("messages", arguments, "ohai\ncya\n");
    }
}

#[test]
#[cfg(all(feature = "reactor", feature = "websocket"))]
fn chat() {
    let arguments = ["--virtual", "tcp://server:80"];
    prints_with("chat_room", &arguments, include_str!("chat/expected.txt"));
}
