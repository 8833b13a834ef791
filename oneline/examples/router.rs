//! Commands with typed arguments, which share a tool.

use std::sync::{Arc, Mutex, PoisonError};

use oneline::{Client, Net, Result, Router, Server};

#[derive(Debug, Default)]
struct Tool {
    x: f64,
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let tool = Arc::new(Mutex::new(Tool::default()));
    let (of_move, of_name, of_status) = (tool.clone(), tool.clone(), tool);
    let router = Router::new()
        .on(
            "move <x> [speed]",
            "Moves to a place.",
            move |(x, speed): (f64, Option<f64>)| {
                let tool = of_move.clone();
                async move {
                    if speed.is_some_and(|speed| speed <= 0.0) {
                        return Err("the speed must be above 0");
                    }
                    tool.lock().unwrap_or_else(PoisonError::into_inner).x = x;
                    Ok("ok")
                }
            },
        )
        .on("name <text>", "Names the tool.", move |(name,): (String,)| {
            of_name.lock().unwrap_or_else(PoisonError::into_inner).name = name;
            async { "ok" }
        })
        .on("status", "Tells name and place.", move |()| {
            let text = format!("{:?}", of_status.lock().unwrap_or_else(PoisonError::into_inner));
            async { text }
        });

    let net = Net::os();
    let running = Server::with_router(router)
        .start(&net, &"tcp://127.0.0.1:0".parse()?)
        .await?;
    let mut client = Client::connect(&net, running.endpoint()).await?;
    for command in ["help", "move 2.5", "move 1 0", "move", r#"name "left arm""#, "status"] {
        println!("{command}");
        for reply in client.collect(command).await? {
            println!("    {reply}");
        }
    }
    client.shutdown().await?;
    running.wait().await;
    Ok(())
}
