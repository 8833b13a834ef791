//! A simulated network: named hosts, links with latency, bandwidth and faults, and TCP and UDP as Linux shows them to a
//! program.
//!
//! ```
//! use std::time::Duration;
//! use net_core::framing::Line;
//! use net_core::{Framed, Instant};
//! use sim_io::Environment;
//! use sim_io::network::{Link, Network};
//!
//! let env = Environment::with_seed(1);
//! let network = Network::new(&env);
//! network.set_default_link(Link::default().latency(Duration::from_millis(20)));
//! let (server, client) = (network.host("server")?, network.host("client")?);
//!
//! let net = server.net();
//! env.try_process(async move {
//!     let mut listener = net.bind(&"tcp://0.0.0.0:5000".parse()?).await?;
//!     let mut lines = Framed::new(listener.accept().await?, Line::default());
//!     while let Some((line, mut out)) = lines.next().await? {
//!         out.push(&line)?;
//!     }
//!     Ok::<_, net_core::Error>(())
//! });
//! let net = client.net();
//! let client = env.try_process(async move {
//!     let mut lines = Framed::new(net.connect(&"tcp://server:5000".parse()?).await?, Line::default());
//!     lines.send(b"hello").await?;
//!     assert!(lines.next().await?.is_some());
//!     Ok::<_, net_core::Error>(())
//! });
//! env.run_until(&client)?;
//! // Connecting and echoing: two round trips.
//! assert_eq!(env.now(), Instant::ZERO + Duration::from_millis(80));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it models
//! * A packet takes its size divided by the bandwidth to leave, behind what waits already, and then the latency. Sizes
//!   include the headers of IP, TCP and UDP. What a host sends and receives in all can have a limit too
//!   ([`Host::set_uplink`], [`Host::set_downlink`]); the narrowest of the lines counts.
//! * Connecting takes a round trip. Nothing listens: refused, after a round trip. The backlog is full, or the host or the
//!   path is down: tried again after 1, 2, 4, … seconds, then a timeout. An address that no host has is unreachable at
//!   once.
//! * Both buffers of a connection are bounded, and the window is what the reader has room for: throughput is limited by
//!   window per round trip and by the bandwidth. There is no congestion control: a stream does not slow down for loss,
//!   it only waits for what was lost.
//! * Loss delays a stream: what was lost, and what follows it, is sent again after a round trip if enough follows, or
//!   else after a timer that doubles. When nothing gets through for
//!   [`give_up`](TcpSettings::give_up) the connection fails with a timeout.
//! * A damaged packet is as good as lost, since the checksums of TCP and UDP find it: no program ever reads damaged bytes.
//!   Copies and packets that overtake each other are seen by the readers of datagrams; a stream drops the ones and waits
//!   for the others.
//! * Who closes first keeps the pair of addresses for 60 s: without
//!   [`reuse_address`](net_core::SocketOptions::reuse_address) a server's port is in use that long, and a client that
//!   insists on its port can't connect to the same server. Within a host only the former holds, as on Linux.
//! * Acknowledgements take time, but no bandwidth, and are lost only where a path is cut.
//! * A packet that has left arrives, whatever happens to its path then; the receiving host must be up.
//! * Dropping a stream sends what was written and then the end; if something that arrived was not read, or comes
//!   later, the other end gets a reset.
//! * Datagrams beyond 65,507 bytes are an error; beyond the MTU they travel as fragments; a full receive buffer and a
//!   port that nobody has lose them without a word.
//! * Within a host, by its own addresses, `127.0.0.0/8` or `[::1]`, packets take no time.
//!
//! # Threads
//! [`Net`](net_core::Net) is `Send + Sync`, though an environment lives on one thread: what it hands out are numbers, looked up among
//! the networks of the thread. On another thread, or after the environment's end, its operations give an error; its
//! clock stands at zero and its timers are over at once.

mod backend;
mod bandwidth;
mod host;
mod link;
mod path;
mod pcap;
mod tap;
mod tcp;
mod udp;
mod world;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

pub use host::Host;
pub use link::{Latency, Link, Loss};
pub use tap::{Outcome, Packet, PacketKind};

use crate::Environment;
use world::World;

/// A simulated network of an environment. Clones are handles on the same one; it lives as long as the environment.
#[derive(Clone)]
pub struct Network {
    world: Rc<World>,
}

/// How the hosts' TCP is set; what a socket's own options don't say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpSettings {
    /// Bytes that a program can write before they are acknowledged. Default: 256 KiB.
    pub send_buffer: usize,
    /// Bytes that arrive before a program reads them: the window. Default: 256 KiB.
    pub receive_buffer: usize,
    /// How often the packets of a handshake are sent again. Default: 6, that is a timeout after 127 s.
    pub syn_retries: u32,
    /// How long data are sent again without an answer before the connection fails. Default: 924 s, as on Linux.
    pub give_up: Duration,
}

impl Default for TcpSettings {
    fn default() -> Self {
        Self {
            send_buffer: 256 * 1024,
            receive_buffer: 256 * 1024,
            syn_retries: 6,
            give_up: Duration::from_secs(924),
        }
    }
}

impl TcpSettings {
    /// Sets the send buffer, in bytes.
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// Sets the receive buffer, in bytes.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Sets how often a handshake's packets are sent again.
    #[must_use]
    pub fn syn_retries(mut self, times: u32) -> Self {
        self.syn_retries = times;
        self
    }

    /// Sets how long data are sent again without an answer.
    #[must_use]
    pub fn give_up(mut self, after: Duration) -> Self {
        self.give_up = after;
        self
    }
}

/// What a network has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Packets that were sent, acknowledgements not counted.
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
    /// Those of them that were damaged.
    pub corrupt: u64,
    /// Datagrams that arrived twice.
    pub duplicates: u64,
    /// Times that a stream sent something again.
    pub retransmissions: u64,
    /// Connections that found a backlog full, and datagrams that found a receive buffer full.
    pub overflows: u64,
}

impl Network {
    /// A network without hosts.
    pub fn new(env: &Environment) -> Self {
        Self {
            world: World::new(&env.core),
        }
    }

    /// The host of that name; made if there is none yet, with the next free address of 10.0.0.0/8.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if it is no host name.
    pub fn host(&self, name: &str) -> io::Result<Host> {
        let id = self.world.with(|state, _| {
            let existing = state.fabric.by_name.get(&name.to_lowercase()).copied();
            existing.map_or_else(|| state.fabric.add_host(name, &[]), Ok)
        })?;
        Ok(Host::new(&self.world, id))
    }

    /// Adds a host with these addresses, best first.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] for a name and [`io::ErrorKind::AddrInUse`] for an address that another host has;
    /// [`io::ErrorKind::InvalidInput`] for what is no name or no host's address.
    pub fn add_host(&self, name: &str, addresses: &[IpAddr]) -> io::Result<Host> {
        let id = self.world.with(|state, _| state.fabric.add_host(name, addresses))?;
        Ok(Host::new(&self.world, id))
    }

    /// Sets the link of all pairs of hosts without one of their own.
    pub fn set_default_link(&self, link: Link) {
        self.world.with(|state, _| state.fabric.set_default_link(link));
    }

    /// Sets the link between two hosts, both ways. What is on its way already keeps its time. Between a host and itself
    /// it is the way that packets to its own addresses take, which else take no time.
    pub fn set_link(&self, a: &Host, b: &Host, link: Link) {
        self.set_link_one_way(a, b, link.clone());
        self.set_link_one_way(b, a, link);
    }

    /// Sets the link from one host to another.
    pub fn set_link_one_way(&self, from: &Host, to: &Host, link: Link) {
        self.world.with(|state, _| {
            if let Some(path) = state.fabric.path(from.id, to.id) {
                path.link = Rc::new(link);
                path.own = true;
            }
        });
    }

    /// Sets what the hosts' TCP does, for connections from here on.
    pub fn set_tcp(&self, settings: TcpSettings) {
        self.world.with(|state, _| state.fabric.settings = settings);
    }

    /// Cuts the path between two hosts, both ways: packets are lost.
    pub fn partition(&self, a: &Host, b: &Host) {
        self.partition_one_way(a, b);
        self.partition_one_way(b, a);
    }

    /// Cuts the path from one host to another.
    pub fn partition_one_way(&self, from: &Host, to: &Host) {
        self.change(from, to, |path| path.cut = true);
    }

    /// Holds packets back between two hosts, both ways, until [`release`](Self::release).
    pub fn hold(&self, a: &Host, b: &Host) {
        self.change(a, b, |path| path.held = true);
        self.change(b, a, |path| path.held = true);
    }

    /// Lets the packets go that were held back; their time on the way begins now.
    pub fn release(&self, a: &Host, b: &Host) {
        self.world.with(|state, _| {
            state.release(&self.world, a.id, b.id);
            state.release(&self.world, b.id, a.id);
        });
        self.change(a, b, |_| ());
    }

    /// Ends partitions and holds between two hosts. Streams go on when they next try.
    pub fn heal(&self, a: &Host, b: &Host) {
        self.change(a, b, |path| path.cut = false);
        self.change(b, a, |path| path.cut = false);
        self.release(a, b);
    }

    fn change(&self, from: &Host, to: &Host, change: impl FnOnce(&mut path::Path)) {
        let ids = [from.id, to.id];
        self.world.with(|state, core| {
            if let Some(path) = state.fabric.path(from.id, to.id) {
                change(path);
            }
            state.watch_all(core, |conn| conn.ends.iter().all(|end| ids.contains(&end.host)));
        });
    }

    /// Lets `watcher` see each packet from here on, beside those who watch already.
    ///
    /// ```
    /// # use sim_io::Environment;
    /// # use sim_io::network::Network;
    /// # let network = Network::new(&Environment::new());
    /// network.watch(|packet| println!("{packet}"));
    /// ```
    pub fn watch(&self, watcher: impl FnMut(&Packet) + 'static) {
        self.world.watchers.borrow_mut().push(Box::new(watcher));
        self.world.with(|state, _| state.fabric.watched = true);
    }

    /// Captures each packet from here on in the pcap format, as its sender sees it leave, lost ones too; give a
    /// [`BufWriter`](std::io::BufWriter) for a file. An error of writing ends the capture; the environment's end closes
    /// it.
    ///
    /// # Errors
    /// Those of writing the header.
    pub fn capture(&self, mut to: impl io::Write + 'static) -> io::Result<()> {
        pcap::header(&mut to)?;
        let mut to = Some(to);
        self.watch(move |packet| {
            if let Some(writer) = &mut to
                && pcap::record(writer, packet).is_err()
            {
                to = None;
            }
        });
        Ok(())
    }

    /// What it has counted so far.
    pub fn stats(&self) -> Stats {
        self.world.with(|state, _| state.fabric.stats)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Network");
        if let Ok(state) = self.world.state.try_borrow() {
            let names: Vec<&str> = state.fabric.hosts.iter().map(|host| &*host.name).collect();
            debug.field("hosts", &names);
        }
        debug.finish_non_exhaustive()
    }
}
