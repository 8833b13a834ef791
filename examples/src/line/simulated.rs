//! The same shift on a simulated network, in virtual time, with what goes wrong now and then: a cable is pulled, tool
//! and controller lose power, a console is slow.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use net_core::Endpoint;
use sim_io::network::{Host, Link, Network};
use sim_io::{Environment, Failure, Process};
use tokio::sync::oneshot;

use super::args::Args;
use super::clock::{Clock, minutes};
use super::controller::{self, Controller};
use super::shift::{self, World};
use super::story::Story;
use super::tool::{self, Memory, Tool};
use super::{Failed, Outcome, outcome, tls};

/// Runs it; whether all checks hold.
pub(crate) fn run(args: &Args) -> Outcome<bool> {
    let env = Environment::with_seed(args.seed);
    let network = Network::new(&env);
    network.set_default_link(
        Link::default()
            .latency(Duration::from_millis(1))
            .jitter(Duration::from_millis(4))
            .loss(0.001),
    );
    // A line of old: what the others get in a blink takes its time.
    let (host, carl) = (network.host("host")?, network.host("carl")?);
    network.set_link(
        &host,
        &carl,
        Link::default().latency(Duration::from_millis(300)).bandwidth(1200),
    );

    let shift = env.named_try_process("shift", {
        let (own, args) = (env.clone(), args.clone());
        async move {
            work(own, network, &args)
                .await
                .map_err(|error| Failure::text(error.to_string()))
        }
    });
    Ok(env.run_until(&shift)?)
}

async fn work(env: Environment, network: Network, args: &Args) -> Outcome<bool> {
    let (host, tool) = (network.host("host")?, network.host("tool")?);
    let clock = Clock::new(&host.net(), args.speed());
    let story = Story::new(&clock);
    let memory = Memory::default();
    let power = Power {
        env: env.clone(),
        host: tool.clone(),
        at: "tcp://tool:5000".parse()?,
        clock: clock.clone(),
        memory: memory.clone(),
        running: RefCell::default(),
    };
    let power = Rc::new(power);
    let at = power.on().await?;

    let address = host.addresses().first().map(ToString::to_string).unwrap_or_default();
    let (hosts, tls) = (network.clone(), tls::Settings::new(address)?);
    let running_controller = Rc::new(RefCell::new(None));
    let trouble = controller::Faults::default();
    let world = World {
        net: Box::new(move |name| Ok(tls.on(&hosts.host(name)?.net()))),
        story: story.clone(),
        tool: at,
        memory: memory.clone(),
        running_controller: Rc::clone(&running_controller),
        faults: Arc::clone(&trouble),
        consoles: vec![
            "tcp://host:5001".parse()?,
            "tls://host:5003".parse()?,
            "unix:/run/line.sock".parse()?,
        ],
        web: "tcp://host:80".parse()?,
        controller: "tcp://host:5002".parse()?,
    };
    let faults = env.named_try_process("faults", {
        let (env, power, story) = (env.clone(), Rc::clone(&power), story.clone());
        async move {
            let controller = ControllerPower {
                host: network.host("controller")?,
                at: "tcp://host:5002".parse()?,
                running: running_controller,
                faults: trouble,
            };
            let faults = faults(&env, &network, &host, &power, &controller, &story).await;
            faults.map_err(|error| Failure::text(error.to_string()))
        }
    });
    let record = shift::run(&world, args, std::future::pending()).await?;
    faults.await.map_err(|failure| Failed::new("the faults", failure))?;
    power.off().await?;
    Ok(outcome::check(&story, args, &memory, &record))
}

/// What goes wrong in the shift.
async fn faults(
    env: &Environment,
    network: &Network,
    host: &Host,
    power: &Power,
    controller: &ControllerPower,
    story: &Story,
) -> Outcome<()> {
    let clock = story.clock();
    let some =
        |least: u64, most: u64| minutes(least) + minutes(1).mul_f64((most - least) as f64 * env.random_fraction());

    clock.until(some(120, 145)).await;
    // The tool is still heard, but no answer gets through: what it tells it will have to tell again.
    story.tell("fault", "the cable between host and tool has a bad contact");
    network.partition_one_way(host, &power.host);
    env.timeout(Duration::from_secs(30)).await;
    story.tell("fault", "the cable is pulled");
    network.partition(&power.host, host);
    env.timeout(some(4, 8)).await;
    network.heal(&power.host, host);
    story.tell("fault", "the cable is back");

    clock.until(some(240, 265)).await;
    story.tell("fault", "the controller's computer fails");
    controller.cut();
    env.timeout(some(2, 6)).await;
    story.tell("fault", "the controller starts anew");
    controller.on(story)?;

    clock.until(some(290, 330)).await;
    story.tell("fault", "the tool loses power");
    power.cut();
    env.timeout(some(5, 12)).await;
    story.tell("fault", "the tool has power again");
    power.on().await?;
    Ok(())
}

/// The power of the controller's computer.
struct ControllerPower {
    host: Host,
    at: Endpoint,
    running: Rc<RefCell<Option<Controller>>>,
    faults: controller::Faults,
}

impl ControllerPower {
    fn cut(&self) {
        self.host.crash();
        self.running.borrow_mut().take();
    }

    fn on(&self, story: &Story) -> Outcome<()> {
        self.host.restart();
        let controller = Controller::start(&self.host.net(), &self.at, story, &self.faults)?;
        *self.running.borrow_mut() = Some(controller);
        Ok(())
    }
}

/// The tool's power.
struct Power {
    env: Environment,
    host: Host,
    at: Endpoint,
    clock: Clock,
    memory: Memory,
    running: RefCell<Option<(Process<()>, oneshot::Sender<()>)>>,
}

impl Power {
    /// Switches the tool on; where it listens.
    async fn on(&self) -> Outcome<Endpoint> {
        self.host.restart();
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let tool = Tool {
            env: self.env.clone(),
            net: self.host.net(),
            at: self.at.clone(),
            clock: self.clock.clone(),
            memory: self.memory.clone(),
        };
        let tool = self.env.named_try_process("tool", tool::run(tool, ready, stopped));
        *self.running.borrow_mut() = Some((tool, stop));
        let at = is_ready
            .await
            .map_err(|_| Failed::text("the tool ended before it could listen"))?;
        Ok(at?)
    }

    /// Takes its power away, whatever it does.
    fn cut(&self) {
        if let Some((tool, _)) = self.running.borrow_mut().take() {
            tool.kill();
        }
        self.host.crash();
    }

    /// Switches it off in order.
    async fn off(&self) -> Outcome<()> {
        let running = self.running.borrow_mut().take();
        if let Some((tool, stop)) = running {
            drop(stop);
            tool.await.map_err(|failure| Failed::new("the tool", failure))?;
        }
        Ok(())
    }
}
