//! A handler with a state of each client's own, which also looks at invalid commands.

use oneline::{Client, Command, End, Handler, HandlerError, Net, Peer, Replies, Result, Server};

/// A stack of numbers.
#[derive(Default)]
struct Stack(Vec<f64>);

impl Handler for Stack {
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        if command.is_invalid() {
            return Err(format!("not text: {:?}", command.raw()).into());
        }
        match command.text() {
            "+" => {
                let &[.., a, b] = self.0.as_slice() else {
                    return Err("there are not two numbers on the stack".into());
                };
                self.0.truncate(self.0.len() - 2);
                self.0.push(a + b);
            }
            "list" => {
                for number in &self.0 {
                    replies.push(number.to_string())?;
                }
            }
            // The error of a bad number becomes an error reply.
            number => self.0.push(number.parse()?),
        }
        Ok(())
    }

    fn connected(&mut self, peer: &Peer) {
        println!("{} is there", peer.id);
    }

    fn disconnected(&mut self, end: &End) {
        println!("it is gone: {end}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let net = Net::os();
    let server = Server::with_handler(Stack::default);
    let running = server.start(&net, &"tcp://127.0.0.1:0".parse()?).await?;

    let mut client = Client::connect(&net, running.endpoint()).await?;
    for command in ["1", "2.5", "+", "+", "seven", "list"] {
        println!("{command:6} → {:?}", client.collect(command).await?);
    }
    client.shutdown().await?;
    running.wait().await;
    Ok(())
}
