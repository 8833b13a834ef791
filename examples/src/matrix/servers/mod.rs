//! A server of each model. All do the same job, each in its own protocol: they give back texts in capital letters.

mod components;
mod hsms;
mod oneline;
mod sim_io;
mod statechart;

use net_core::Endpoint;

use super::{Model, Result, Site};

/// A server that runs.
#[derive(Debug)]
pub struct Serving {
    endpoint: Endpoint,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Oneline(oneline::Running),
    SimIo(sim_io::Running),
    Hsms(hsms::Running),
    Components(components::Running),
    Statechart(Box<statechart::Running>),
}

impl Serving {
    /// Starts one of this model.
    ///
    /// # Errors
    /// If it can't listen there.
    pub async fn start(model: Model, site: &Site) -> Result<Self> {
        let (endpoint, running) = match model {
            Model::Oneline => {
                let (endpoint, running) = oneline::start(site).await?;
                (endpoint, Running::Oneline(running))
            }
            Model::SimIo => {
                let (endpoint, running) = sim_io::start(site).await?;
                (endpoint, Running::SimIo(running))
            }
            Model::Hsms => {
                let (endpoint, running) = hsms::start(site).await?;
                (endpoint, Running::Hsms(running))
            }
            Model::Components => {
                let (endpoint, running) = components::start(site).await?;
                (endpoint, Running::Components(running))
            }
            Model::Statechart => {
                let (endpoint, running) = statechart::start(site).await?;
                (endpoint, Running::Statechart(Box::new(running)))
            }
        };
        Ok(Self { endpoint, running })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// If it did not end as it should.
    pub async fn stop(self) -> Result<()> {
        match self.running {
            Running::Oneline(running) => running.stop().await,
            Running::SimIo(running) => running.stop().await,
            Running::Hsms(running) => running.stop().await,
            Running::Components(running) => running.stop().await,
            Running::Statechart(running) => running.stop().await,
        }
    }
}
