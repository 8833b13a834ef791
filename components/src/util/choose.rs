//! Components that walk through lists as they are told.

use crate::component::{Component, HasInbox, HasOutbox, Outcome};
use crate::{Boxes, Carousel, Context, Graphline, Inbox, LinkError, NextRequest, Outbox, map};

/// Where a [`Chooser`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jump {
    /// Nowhere: the same item again.
    Same,
    /// To the next item.
    Next,
    /// To the one before.
    Prev,
    /// To the first item.
    First,
    /// To the last item.
    Last,
}

/// Walks through a list as it is told, and sends the item where it is: the first one when it starts.
///
/// At either end [`Jump::Next`] and [`Jump::Prev`] send nothing and stay, unless it loops. An empty list sends nothing.
#[derive(Boxes, Debug)]
pub struct Chooser<T: Clone + Send + 'static> {
    /// Where to go.
    inbox: Inbox<Jump>,
    /// The items.
    outbox: Outbox<T>,
    items: Vec<T>,
    looped: bool,
}

impl<T: Clone + Send + 'static> Chooser<T> {
    /// Walks through these items.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            items: items.into_iter().collect(),
            looped: false,
        }
    }

    /// Goes on at the other end. Default: no.
    #[must_use]
    pub fn looped(mut self) -> Self {
        self.looped = true;
        self
    }

    /// Where it is after a jump; none if it can't go there.
    fn jump(&self, at: usize, jump: Jump) -> Option<usize> {
        let last = self.items.len().checked_sub(1)?;
        match jump {
            Jump::Same => Some(at),
            Jump::First => Some(0),
            Jump::Last => Some(last),
            Jump::Next if at < last => Some(at + 1),
            Jump::Next => self.looped.then_some(0),
            Jump::Prev if at > 0 => Some(at - 1),
            Jump::Prev => self.looped.then_some(last),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Component for Chooser<T> {
    async fn main(mut self, _: Context) -> Outcome {
        let mut at = 0;
        if let Some(first) = self.items.first().cloned() {
            self.outbox.send(first).await?;
        }
        while let Some(jump) = self.inbox.recv().await {
            let Some(to) = self.jump(at, jump) else { continue };
            at = to;
            if let Some(item) = self.items.get(at).cloned() {
                self.outbox.send(item).await?;
            }
        }
        Ok(())
    }
}

/// Walks through anything that can be iterated, forward only: the first item when it starts, and then
/// [`Jump::Next`] and [`Jump::Same`] count, and nothing else. It ends when there is no next item.
#[derive(Boxes, Debug)]
pub struct ForwardIteratingChooser<I: Iterator<Item: Clone + Send + 'static>> {
    /// Where to go.
    inbox: Inbox<Jump>,
    /// The item there.
    outbox: Outbox<<I as Iterator>::Item>,
    items: I,
}

impl<I: Iterator<Item: Clone + Send + 'static>> ForwardIteratingChooser<I> {
    /// Walks through these.
    pub fn new(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            items: items.into_iter(),
        }
    }
}

impl<I> Component for ForwardIteratingChooser<I>
where
    I: Iterator<Item: Clone + Send + Sync + 'static> + Send + 'static,
{
    async fn main(mut self, _: Context) -> Outcome {
        let Some(mut item) = self.items.next() else {
            return Ok(());
        };
        self.outbox.send(item.clone()).await?;
        while let Some(jump) = self.inbox.recv().await {
            match jump {
                Jump::Same => {}
                Jump::Next => match self.items.next() {
                    Some(next) => item = next,
                    None => break,
                },
                _ => continue,
            }
            self.outbox.send(item.clone()).await?;
        }
        Ok(())
    }
}

/// A chooser that tells a carousel what to make: what the chooser sends is the order, and whenever the carousel asks for the
/// next one the chooser goes on. The graph's own `inbox`, `outbox` and `signal` are the carousel's; its `control` is the
/// chooser's, whose end ends the carousel.
///
/// # Errors
/// If one of the boxes is linked already.
pub fn join_chooser_to_carousel<H, R, C, F>(chooser: H, carousel: Carousel<R, C, F>) -> Result<Graphline, LinkError>
where
    H: Component + HasInbox<In = Jump> + HasOutbox<Out = R>,
    R: Send + 'static,
    C: Component + HasInbox + HasOutbox,
    F: FnMut(R) -> C + Send + 'static,
{
    let mut graph = Graphline::new().named("JoinChooserToCarousel");
    graph
        .add("CHOOSER", chooser)?
        .add("CAROUSEL", carousel)?
        .add("ASK", map(|_: NextRequest| Jump::Next))?
        .link("CHOOSER.outbox", "CAROUSEL.next")?
        .link("CHOOSER.signal", "CAROUSEL.control")?
        .link("CAROUSEL.requestNext", "ASK.inbox")?
        .link("ASK.outbox", "CHOOSER.inbox")?
        .link("self.inbox", "CAROUSEL.inbox")?
        .link("self.control", "CHOOSER.control")?
        .link("CAROUSEL.signal", "ASK.control")?
        .link("ASK.signal", "self.signal")?
        .link("CAROUSEL.outbox", "self.outbox")?;
    Ok(graph)
}
