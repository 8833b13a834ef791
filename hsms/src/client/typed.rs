//! Requests and replies as Rust types.

use bytes::Bytes;

use super::RequestError;
use crate::item::{FromItem, Item, ToItem};
use crate::typed::{SecsMessage, SecsRequest};
use crate::{Connection, Header};

fn text<M: SecsMessage + ToItem>(content: &M) -> Result<Bytes, RequestError> {
    if M::HEADER_ONLY {
        return Ok(Bytes::new());
    }
    Ok(Item::of(content).map_err(RequestError::Unwritable)?.into_bytes())
}

impl Connection {
    /// [`request`](Self::request) of a Rust value, and its reply as one. Cancel safe, likewise.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`RequestError::Unexpected`] if the reply is not what the type says, and
    /// [`RequestError::Unwritable`] if the value has no form as an item.
    pub async fn request_of<M>(&self, content: &M) -> Result<M::Reply, RequestError>
    where
        M: SecsRequest + ToItem,
        M::Reply: for<'a> FromItem<'a>,
    {
        let reply = self.request(M::ABOUT, text(content)?).await?;
        reply.read().map_err(RequestError::Unexpected)
    }

    /// [`request_of`](Self::request_of) that tells its system bytes once it is sent.
    #[cfg(feature = "gem")]
    pub(crate) async fn request_of_noting<M>(
        &self,
        content: &M,
        note: impl FnOnce(u32),
    ) -> Result<M::Reply, RequestError>
    where
        M: SecsRequest + ToItem,
        M::Reply: for<'a> FromItem<'a>,
    {
        let options = super::RequestOptions::default();
        let reply = self.request_noting(M::ABOUT, text(content)?, options, note).await?;
        reply.read().map_err(RequestError::Unexpected)
    }

    /// Whether our transaction with these system bytes is open.
    #[cfg(feature = "gem")]
    pub(crate) fn is_open(&self, system: u32) -> bool {
        self.shared.with(|state| state.session.is_open(system))
    }

    /// [`notify`](Self::notify) of a Rust value. Cancel safe.
    ///
    /// # Errors
    /// As [`notify`](Self::notify), and [`RequestError::Unwritable`].
    pub async fn notify_of<M: SecsMessage + ToItem>(&self, content: &M) -> Result<(), RequestError> {
        self.notify(M::ABOUT, text(content)?).await
    }

    /// [`reply`](Self::reply) of a Rust value. Cancel safe.
    ///
    /// # Errors
    /// As [`reply`](Self::reply), and [`RequestError::Unwritable`].
    pub async fn reply_of<M: SecsMessage + ToItem>(&self, primary: &Header, content: &M) -> Result<(), RequestError> {
        self.reply(primary, text(content)?).await
    }
}
