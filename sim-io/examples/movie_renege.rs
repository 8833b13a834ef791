//! SimPy's movie theatre: one ticket counter, three movies, and people who leave the queue when theirs is sold out. Who
//! comes is given, not random.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use sim_io::{Environment, Event, Failure, Instant, Resource};

struct Movie {
    name: &'static str,
    available: Cell<u64>,
    sold_out: Event<()>,
    when: Cell<Option<Instant>>,
    renegers: Cell<u64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Movie renege");
    let env = Environment::new();
    let counter = Resource::new(&env, 1)?;
    let movies = ["Python Unchained", "Kill Process", "Pulp Implementation"].map(|name| {
        Rc::new(Movie {
            name,
            available: Cell::new(50),
            sold_out: env.named_event(name),
            when: Cell::new(None),
            renegers: Cell::new(0),
        })
    });
    env.process({
        let (env, movies) = (env.clone(), movies.clone());
        async move {
            for (number, movie) in (0..).zip(movies.iter().cycle()) {
                env.timeout(minutes(0.5)).await;
                if movie.available.get() > 0 {
                    let tickets = 1 + number * 5 % 6;
                    env.try_process(moviegoer(env.clone(), counter.clone(), movie.clone(), tickets));
                }
            }
        }
    });
    env.run_until(minutes(120.0))?;
    for movie in &movies {
        if let Some(when) = movie.when.get() {
            let when = (when - Instant::ZERO).as_secs_f64() / 60.0;
            println!(
                "Movie \"{}\" sold out {when:.1} minutes after ticket counter opening.",
                movie.name
            );
            println!(
                "  Number of people leaving queue when film sold out: {}",
                movie.renegers.get()
            );
        }
    }
    Ok(())
}

async fn moviegoer(env: Environment, counter: Resource, movie: Rc<Movie>, tickets: u64) -> Result<(), Failure> {
    let (turn, _) = env.any_of((counter.request(), &movie.sold_out)).await?;
    let Some(_turn) = turn else {
        movie.renegers.set(movie.renegers.get() + 1);
        return Ok(());
    };
    let available = movie.available.get();
    if available < tickets {
        // Discusses it, and leaves.
        env.timeout(minutes(0.5)).await;
        return Ok(());
    }
    movie.available.set(available - tickets);
    if movie.available.get() < 2 {
        movie.sold_out.succeed(())?;
        movie.when.set(Some(env.now()));
        movie.available.set(0);
    }
    env.timeout(minutes(1.0)).await;
    Ok(())
}

fn minutes(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}
