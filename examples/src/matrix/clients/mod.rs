//! A client of each model, for every server: with the model's own client where the server is of the same model, and
//! otherwise with what the model has for bytes.

mod components;
mod hsms;
mod oneline;
mod sim_io;
mod statechart;

use net_core::Endpoint;

use super::talk::Talk;
use super::{Model, Result, Site};

/// Has the texts given back in capital letters by the server of this model at this endpoint, and leaves in order.
///
/// # Errors
/// If an answer is another, or the connection does not end as it should.
pub async fn talk(client: Model, site: &Site, to: &Endpoint, server: Model, texts: &[String]) -> Result<()> {
    let foreign = || Talk::new(client, server, texts);
    match (client, server) {
        (Model::Oneline, Model::Oneline) => oneline::own(site, to, texts).await,
        (Model::Oneline, _) => oneline::lines(site, to, &foreign()?).await,
        (Model::SimIo, Model::SimIo) => sim_io::own(site, to, texts).await,
        (Model::SimIo, _) => sim_io::bytes(site, to, foreign()?).await,
        (Model::Hsms, Model::Hsms) => hsms::own(site, to, texts).await,
        (Model::Hsms, _) => hsms::frames(site, to, &foreign()?).await,
        (Model::Components, _) => components::pipeline(site, to, foreign()?).await,
        (Model::Statechart, _) => statechart::chart(site, to, &foreign()?).await,
    }
}

/// Compares an answer.
fn expect(got: &[u8], wanted: &[u8]) -> Result<()> {
    if got == wanted {
        return Ok(());
    }
    let (got, wanted) = (got.escape_ascii(), wanted.escape_ascii());
    Err(format!("the answer is `{got}` and not `{wanted}`").into())
}
