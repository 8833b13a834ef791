//! SimPy's battery charging station: two spots, four cars.

use std::time::Duration;

use sim_io::{Environment, Resource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let env = Environment::new();
    let station = Resource::new(&env, 2)?;
    for number in 0..4 {
        env.process(car(env.clone(), number, station.clone()));
    }
    env.run()?;
    Ok(())
}

async fn car(env: Environment, number: u64, station: Resource) {
    env.timeout(Duration::from_secs(number * 2)).await;
    println!("Car {number} arriving at {}", now(&env));
    let _spot = station.request().await;
    println!("Car {number} starting to charge at {}", now(&env));
    env.timeout(Duration::from_secs(5)).await;
    println!("Car {number} leaving the bcs at {}", now(&env));
}

fn now(env: &Environment) -> u64 {
    env.now().as_nanos() / 1_000_000_000
}
