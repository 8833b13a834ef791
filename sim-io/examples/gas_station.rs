//! SimPy's gas station: pumps, a tank that cars empty, and a truck that fills it. Who comes is given, not random.

use std::time::Duration;

use sim_io::{Container, Environment, Failure, Resource};

const TANK: f64 = 200.0;
const THRESHOLD: f64 = 25.0;
const CAR_TANK: f64 = 50.0;
const SPEED: f64 = 2.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Gas Station refuelling");
    let env = Environment::new();
    let pumps = Resource::new(&env, 2)?;
    let tank = Container::new(&env, TANK, TANK)?;
    env.try_process(control(env.clone(), tank.clone()));
    env.process({
        let env = env.clone();
        async move {
            for number in 0.. {
                env.timeout(Duration::from_secs(30 + number * 53 % 171)).await;
                env.try_process(car(env.clone(), number, pumps.clone(), tank.clone()));
            }
        }
    });
    env.run_until(Duration::from_secs(1000))?;
    Ok(())
}

async fn car(env: Environment, number: u64, pumps: Resource, tank: Container) -> Result<(), Failure> {
    println!("{:6.1} s: Car {number} arrived at gas station", now(&env));
    let _pump = pumps.request().await;
    let fuel = CAR_TANK - (5 + number * 7 % 21) as f64;
    tank.get(fuel)?.await;
    env.timeout(Duration::from_secs_f64(fuel / SPEED)).await;
    println!("{:6.1} s: Car {number} refueled with {fuel:.1}L", now(&env));
    Ok(())
}

/// Looks at the tank every ten seconds, and calls the truck.
async fn control(env: Environment, tank: Container) -> Result<(), Failure> {
    loop {
        if tank.level() / tank.capacity() * 100.0 < THRESHOLD {
            println!("{:6.1} s: Calling tank truck", now(&env));
            env.try_process(truck(env.clone(), tank.clone())).await?;
        }
        env.timeout(Duration::from_secs(10)).await;
    }
}

async fn truck(env: Environment, tank: Container) -> Result<(), Failure> {
    env.timeout(Duration::from_secs(300)).await;
    let amount = tank.capacity() - tank.level();
    tank.put(amount)?.await;
    println!(
        "{:6.1} s: Tank truck arrived and refuelled station with {amount:.1}L",
        now(&env)
    );
    Ok(())
}

fn now(env: &Environment) -> f64 {
    (env.now() - sim_io::Instant::ZERO).as_secs_f64()
}
