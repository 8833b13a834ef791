//! What the examples share: their arguments, and running until Ctrl-C.
#![allow(dead_code, reason = "not every example uses everything")]

use std::error::Error;
use std::fmt;

use components::{Active, Endpoint, Net};
use net_core::TlsServer;

pub(crate) type Result<T> = std::result::Result<T, Told>;

/// Any error. What `main` returns is shown by its `Debug`: here the text for people.
pub(crate) struct Told(Box<dyn Error>);

impl<E: Into<Box<dyn Error>>> From<E> for Told {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The arguments: endpoints in their order, and options with a value.
pub(crate) struct Arguments {
    endpoints: std::vec::IntoIter<Endpoint>,
    options: Vec<(String, String)>,
}

impl Arguments {
    /// Reads them, so many endpoints; prints the usage and ends if it is asked for or something is wrong.
    pub(crate) fn read(usage: &str, count: usize, known: &[&str]) -> Self {
        let fail = |text: String| -> ! {
            eprintln!("{text}\n{usage}");
            std::process::exit(2)
        };
        let (mut endpoints, mut options) = (Vec::new(), Vec::new());
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            if argument == "-h" || argument == "--help" {
                println!("{usage}");
                std::process::exit(0);
            } else if argument.starts_with("--") {
                if !known.contains(&argument.as_str()) {
                    fail(format!("no option is called {argument}"));
                }
                match arguments.next() {
                    Some(value) => options.push((argument, value)),
                    None => fail(format!("{argument} needs a value")),
                }
            } else {
                match argument.parse() {
                    Ok(endpoint) => endpoints.push(endpoint),
                    Err(error) => fail(format!("{error}")),
                }
            }
        }
        if endpoints.len() != count {
            fail(format!("{} endpoints are given, and {count} wanted", endpoints.len()));
        }
        Self {
            endpoints: endpoints.into_iter(),
            options,
        }
    }

    /// The next endpoint.
    pub(crate) fn endpoint(&mut self) -> Endpoint {
        self.endpoints.next().expect("no more are asked for than were wanted")
    }

    /// The value of an option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The network, with a certificate for `tls://` endpoints if one was given.
    pub(crate) fn net(&self) -> Result<Net> {
        let net = Net::os();
        match (self.option("--tls-cert"), self.option("--tls-key")) {
            (Some(certificate), Some(key)) => {
                let tls = TlsServer::builder().identity_files(certificate, key).build()?;
                Ok(net.with_server_tls(tls))
            }
            (None, None) => Ok(net),
            _ => Err("--tls-cert and --tls-key belong together".into()),
        }
    }
}

/// Runs a component to its end. Ctrl-C has it finish what it does, a second one stops it.
pub(crate) async fn run(component: Active) -> Result<()> {
    let mut end = component.clone().into_future();
    for told in 0.. {
        tokio::select! {
            biased;
            end = &mut end => {
                return match end.reason.failure() {
                    None => Ok(()),
                    Some(failure) => Err(failure.to_string().into()),
                };
            }
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                match told {
                    0 => component.finish(),
                    _ => component.stop(),
                }
            }
        }
    }
    Ok(())
}
