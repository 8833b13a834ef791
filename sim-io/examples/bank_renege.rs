//! SimPy's bank: customers who leave when they have waited too long. The times are given, not random.

use std::time::Duration;

use sim_io::{Environment, Failure, Resource};

const PATIENCE: [u64; 5] = [1, 3, 2, 3, 1];
const TIME_IN_BANK: [u64; 5] = [12, 5, 20, 9, 7];
const BETWEEN: [u64; 5] = [3, 8, 10, 4, 6];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Bank renege");
    let env = Environment::new();
    let counter = Resource::new(&env, 1)?;
    let source = env.clone();
    env.process(async move {
        for (number, between) in BETWEEN.into_iter().enumerate() {
            source.try_process(customer(source.clone(), number, counter.clone()));
            source.timeout(Duration::from_secs(between)).await;
        }
    });
    env.run()?;
    Ok(())
}

async fn customer(env: Environment, number: usize, counter: Resource) -> Result<(), Failure> {
    let name = format!("Customer{number:02}");
    let arrive = now(&env);
    println!("{arrive:7.4} {name}: Here I am");
    let patience = env.timeout(Duration::from_secs(PATIENCE[number]));
    let (turn, _) = env.any_of((counter.request(), patience)).await?;
    let wait = now(&env) - arrive;
    if let Some(_turn) = turn {
        println!("{:7.4} {name}: Waited {wait:6.3}", now(&env));
        env.timeout(Duration::from_secs(TIME_IN_BANK[number])).await;
        println!("{:7.4} {name}: Finished", now(&env));
    } else {
        println!("{:7.4} {name}: RENEGED after {wait:6.3}", now(&env));
    }
    Ok(())
}

fn now(env: &Environment) -> f64 {
    (env.now() - sim_io::Instant::ZERO).as_secs_f64()
}
