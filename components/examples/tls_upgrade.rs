//! TLS in mid-stream, as in mail protocols: a server and its client, in one program.
//!
//! ```text
//! cargo run -p components --example tls_upgrade
//! ```
//!
//! The client asks in plain, the server says in plain that it is ready, and from there on everything is encrypted. The client
//! trusts the server's certificate only.

mod common;

use bytes::Bytes;
use components::{
    Boxes, Component, Context, Inbox, MakeSsl, Net, Outbox, Outcome, SimpleServer, SslReady, System, TcpClient, link,
};
use net_core::{TlsClient, TlsServer};

/// Answers in plain until it is asked to begin TLS. The boxes for that are linked by their names.
#[derive(Boxes)]
struct Server {
    /// What the client sends.
    inbox: Inbox<Bytes>,
    /// What it gets.
    outbox: Outbox<Bytes>,
    /// The order to encrypt.
    makessl: Outbox<MakeSsl>,
    /// How that went.
    sslready: Inbox<SslReady>,
    tls: TlsServer,
}

impl Component for Server {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(request) = self.inbox.recv().await {
            match &*request {
                b"STARTTLS\n" => {
                    let order = MakeSsl::server(self.tls.clone()).saying("220 go ahead\n");
                    self.makessl.send(order).await?;
                    let Some(ready) = self.sslready.recv().await else { break };
                    ready.outcome?;
                    println!("server: encrypted");
                }
                request => {
                    let answer = [b"250 you said ", request].concat();
                    self.outbox.send(answer.into()).await?;
                }
            }
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let server_tls = TlsServer::builder()
        .identity_pem(certificate.as_bytes(), key.as_bytes())
        .build()?;
    let client_tls = TlsClient::builder().root_pem(certificate.as_bytes()).build()?;

    let system = System::new(&Net::os());
    let server = SimpleServer::bind(&system, &"tcp://127.0.0.1:0".parse()?, move || Server {
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        makessl: Outbox::new(),
        sslready: Inbox::new(),
        tls: server_tls.clone(),
    })
    .await?;
    println!("listening on {}", server.local());

    let client = TcpClient::new(server.local().clone());
    let server = system.activate(server)?;
    let (mut makessl, mut sslready) = (Outbox::new(), Inbox::new());
    link(&makessl, &client.makessl)?;
    link(&client.sslready, &sslready)?;
    let mut client = system.activate_with_handle(client)?;

    client.put("hello\n".into()).await?;
    show(client.get().await)?;
    client.put("STARTTLS\n".into()).await?;
    show(client.get().await)?;
    makessl.send(MakeSsl::client(client_tls, "localhost")).await?;
    let ready = sslready.recv().await.ok_or("the connection has ended")?;
    println!("client: encrypted, {}", ready.outcome?.version.unwrap_or_default());
    client.put("a secret\n".into()).await?;
    show(client.get().await)?;

    client.component.finish();
    client.component.clone().await;
    server.finish();
    common::run(server).await
}

fn show(answer: Option<Bytes>) -> common::Result<()> {
    let answer = answer.ok_or("the server has gone")?;
    println!("client: got {}", String::from_utf8_lossy(&answer).trim_end());
    Ok(())
}
