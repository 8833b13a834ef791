//! Conditions: waiting for all of several things, or for any of them.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::event::Wait;
use crate::{Environment, Event, Failure, Priority, Process, Timeout};

/// Something that a condition can wait for: timeouts, events, processes, and conditions themselves.
pub trait Member {
    /// What it gives.
    type Value;
    /// Whether it has been processed; if not, the running process will be resumed when it is.
    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Value, Failure>>;
    /// Gives the waiting up, without being cancelled.
    fn detach(&mut self);
    /// Adds to a value that it gave what has happened since; conditions do, the waiting for them being over.
    fn refresh(&mut self, value: &mut Self::Value, cx: &mut Context<'_>) {
        let _ = (value, cx);
    }
}

/// A lent member outlives the condition, and can be awaited again if it has not happened.
impl<M: Member> Member for &mut M {
    type Value = M::Value;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<M::Value, Failure>> {
        (**self).poll_member(cx)
    }

    fn detach(&mut self) {
        (**self).detach();
    }

    fn refresh(&mut self, value: &mut M::Value, cx: &mut Context<'_>) {
        (**self).refresh(value, cx);
    }
}

/// What turns into a [`Member`].
pub trait IntoMember {
    /// The member.
    type Member: Member;
    /// Turns into it.
    fn into_member(self) -> Self::Member;
}

impl<M: Member> IntoMember for M {
    type Member = M;
    fn into_member(self) -> M {
        self
    }
}

impl<T: Clone + 'static> IntoMember for Event<T> {
    type Member = Wait<T>;
    fn into_member(self) -> Wait<T> {
        self.wait()
    }
}

impl<T: Clone + 'static> IntoMember for &Event<T> {
    type Member = Wait<T>;
    fn into_member(self) -> Wait<T> {
        self.wait()
    }
}

impl<T: Clone + 'static> IntoMember for Process<T> {
    type Member = Wait<T>;
    fn into_member(self) -> Wait<T> {
        self.into_future()
    }
}

impl<T: Clone + 'static> IntoMember for &Process<T> {
    type Member = Wait<T>;
    fn into_member(self) -> Wait<T> {
        self.into_future()
    }
}

/// Several members: a tuple of up to eight, or a `Vec` of one kind.
pub trait Group {
    /// The values of all of them.
    type All;
    /// The values of those that have happened.
    type Any;
    /// Looks at those that have not happened yet.
    fn poll_group(&mut self, cx: &mut Context<'_>) -> Progress;
    /// Gives the waiting for them up.
    fn detach(&mut self);
    /// The values, once all have happened.
    fn all(&mut self) -> Option<Self::All>;
    /// The values that are there.
    fn any(&mut self) -> Self::Any;
    /// Adds what has happened since within members that have happened: conditions.
    fn refresh(&mut self, cx: &mut Context<'_>);
    /// The same, for the values that [`all`](Self::all) gave.
    fn refresh_all(&mut self, values: &mut Self::All, cx: &mut Context<'_>);
    /// The same, for the values that [`any`](Self::any) gave, and adds those of members that have happened since.
    fn refresh_any(&mut self, values: &mut Self::Any, cx: &mut Context<'_>);
}

/// How far a [`Group`] is.
#[derive(Debug, Default)]
pub struct Progress {
    happened: usize,
    members: usize,
    failure: Option<Failure>,
}

/// A member, and its value once it has happened.
#[derive(Debug)]
pub struct Slot<M: Member> {
    member: M,
    happened: bool,
    value: Option<M::Value>,
}

impl<M: Member> Slot<M> {
    fn new(member: M) -> Self {
        Self {
            member,
            happened: false,
            value: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, progress: &mut Progress) {
        progress.members += 1;
        if !self.happened {
            match self.member.poll_member(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(value)) => self.value = Some(value),
                Poll::Ready(Err(failure)) => {
                    progress.failure.get_or_insert(failure);
                }
            }
            self.happened = true;
        }
        progress.happened += 1;
    }

    fn detach(&mut self) {
        self.member.detach();
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        if let Some(value) = &mut self.value {
            self.member.refresh(value, cx);
        }
    }

    fn refresh_any(&mut self, value: &mut Option<M::Value>, cx: &mut Context<'_>) {
        match value {
            Some(value) => self.member.refresh(value, cx),
            None => {
                self.poll(cx, &mut Progress::default());
                *value = self.value.take();
            }
        }
    }
}

/// What turns into a [`Group`].
pub trait IntoGroup {
    /// The group.
    type Group: Group;
    /// Turns into it.
    fn into_group(self) -> Self::Group;
}

impl<M: IntoMember> IntoGroup for Vec<M> {
    type Group = Vec<Slot<M::Member>>;
    fn into_group(self) -> Self::Group {
        self.into_iter().map(|member| Slot::new(member.into_member())).collect()
    }
}

impl<M: Member> Group for Vec<Slot<M>> {
    type All = Vec<M::Value>;
    type Any = Vec<Option<M::Value>>;

    fn poll_group(&mut self, cx: &mut Context<'_>) -> Progress {
        let mut progress = Progress::default();
        self.iter_mut().for_each(|slot| slot.poll(cx, &mut progress));
        progress
    }

    fn detach(&mut self) {
        self.iter_mut().for_each(Slot::detach);
    }

    fn all(&mut self) -> Option<Self::All> {
        self.iter_mut().map(|slot| slot.value.take()).collect()
    }

    fn any(&mut self) -> Self::Any {
        self.iter_mut().map(|slot| slot.value.take()).collect()
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        self.iter_mut().for_each(|slot| slot.refresh(cx));
    }

    fn refresh_all(&mut self, values: &mut Self::All, cx: &mut Context<'_>) {
        for (slot, value) in self.iter_mut().zip(values) {
            slot.member.refresh(value, cx);
        }
    }

    fn refresh_any(&mut self, values: &mut Self::Any, cx: &mut Context<'_>) {
        for (slot, value) in self.iter_mut().zip(values) {
            slot.refresh_any(value, cx);
        }
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: IntoMember),+> IntoGroup for ($($name,)+) {
            type Group = ($(Slot<$name::Member>,)+);
            fn into_group(self) -> Self::Group {
                ($(Slot::new(self.$index.into_member()),)+)
            }
        }

        impl<$($name: Member),+> Group for ($(Slot<$name>,)+) {
            type All = ($($name::Value,)+);
            type Any = ($(Option<$name::Value>,)+);

            fn poll_group(&mut self, cx: &mut Context<'_>) -> Progress {
                let mut progress = Progress::default();
                $(self.$index.poll(cx, &mut progress);)+
                progress
            }

            fn detach(&mut self) {
                $(self.$index.detach();)+
            }

            fn all(&mut self) -> Option<Self::All> {
                Some(($(self.$index.value.take()?,)+))
            }

            fn any(&mut self) -> Self::Any {
                ($(self.$index.value.take(),)+)
            }

            fn refresh(&mut self, cx: &mut Context<'_>) {
                $(self.$index.refresh(cx);)+
            }

            fn refresh_all(&mut self, values: &mut Self::All, cx: &mut Context<'_>) {
                $(self.$index.member.refresh(&mut values.$index, cx);)+
            }

            fn refresh_any(&mut self, values: &mut Self::Any, cx: &mut Context<'_>) {
                $(self.$index.refresh_any(&mut values.$index, cx);)+
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

impl Environment {
    /// Happens when all of them have; the values are in the order of the members. Their first failure is the
    /// condition's. The waiting begins when it is awaited.
    pub fn all_of<I: IntoGroup>(&self, members: I) -> AllOf<I::Group> {
        AllOf(Condition::new(self, members.into_group(), true))
    }

    /// Happens when one of them has; gives the values of all that have happened when the condition's own turn comes, so
    /// that of two things at the same instant both are told. A failure that comes first is the condition's. The waiting
    /// begins when it is awaited; members that have not happened are dropped at the end, unless they were lent. A
    /// condition among the members gives what has happened of it by then too, once its own turn has come; before that it
    /// gives nothing, where SimPy would tell the first of its members.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sim_io::Environment;
    ///
    /// let env = Environment::new();
    /// let answer = env.event::<&str>();
    /// let caller = env.process({
    ///     let env = env.clone();
    ///     async move {
    ///         let (answered, late) = env.any_of((&answer, env.timeout(Duration::from_secs(3)))).await?;
    ///         Ok::<_, sim_io::Failure>((answered, late.is_some()))
    ///     }
    /// });
    /// assert_eq!(env.run_until(&caller)?.unwrap(), (None, true));
    /// # Ok::<(), sim_io::RunError>(())
    /// ```
    pub fn any_of<I: IntoGroup>(&self, members: I) -> AnyOf<I::Group> {
        AnyOf(Condition::new(self, members.into_group(), false))
    }
}

/// Waits for all of several things; made by [`Environment::all_of`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AllOf<G>(Condition<G>);

/// Waits for any of several things; made by [`Environment::any_of`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AnyOf<G>(Condition<G>);

/// The two conditions differ only in how many members they need.
#[derive(Debug)]
struct Condition<G> {
    env: Environment,
    group: G,
    needs_all: bool,
    failure: Option<Failure>,
    /// The condition's own place in the order of things, once enough has happened.
    turn: Option<Timeout>,
}

impl<G: Group> Condition<G> {
    fn new(env: &Environment, group: G, needs_all: bool) -> Self {
        Self {
            env: env.clone(),
            group,
            needs_all,
            failure: None,
            turn: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let turn = match &mut self.turn {
            Some(turn) => turn,
            None => {
                let mark = self.env.core.look();
                let progress = self.group.poll_group(cx);
                let which = if self.needs_all { "all" } else { "any" };
                self.env.core.looked(mark, which);
                let needed = if self.needs_all {
                    progress.members
                } else {
                    progress.members.min(1)
                };
                if progress.failure.is_none() && progress.happened < needed {
                    return Poll::Pending;
                }
                // From here on nobody waits for the members: a failure among them is not the condition's any more.
                self.group.detach();
                self.failure = progress.failure;
                self.turn.insert(self.env.schedule(Duration::ZERO, Priority::NORMAL))
            }
        };
        std::task::ready!(turn.poll_member(cx))?;
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        // What has happened by now counts too.
        self.look_again(|group| {
            group.poll_group(cx);
            group.refresh(cx);
        });
        Poll::Ready(Ok(()))
    }

    /// Looks at the members without waiting for them.
    fn look_again(&mut self, look: impl FnOnce(&mut G)) {
        let mark = self.env.core.look();
        look(&mut self.group);
        self.env.core.looked(mark, if self.needs_all { "all" } else { "any" });
        self.group.detach();
    }

    fn detach(&mut self) {
        self.group.detach();
        if let Some(turn) = &mut self.turn {
            turn.detach();
        }
    }
}

impl<G: Group> Member for AllOf<G> {
    type Value = G::All;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<G::All, Failure>> {
        std::task::ready!(self.0.poll(cx))?;
        match self.0.group.all() {
            Some(values) => Poll::Ready(Ok(values)),
            // Polled again after its end, which no `await` does.
            None => Poll::Pending,
        }
    }

    fn detach(&mut self) {
        self.0.detach();
    }

    fn refresh(&mut self, value: &mut G::All, cx: &mut Context<'_>) {
        self.0.look_again(|group| group.refresh_all(value, cx));
    }
}

impl<G: Group> Member for AnyOf<G> {
    type Value = G::Any;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<G::Any, Failure>> {
        std::task::ready!(self.0.poll(cx))?;
        Poll::Ready(Ok(self.0.group.any()))
    }

    fn detach(&mut self) {
        self.0.detach();
    }

    fn refresh(&mut self, value: &mut G::Any, cx: &mut Context<'_>) {
        self.0.look_again(|group| group.refresh_any(value, cx));
    }
}

impl<G> Unpin for AllOf<G> {}

impl<G: Group> Future for AllOf<G> {
    type Output = Result<G::All, Failure>;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_member(cx)
    }
}

impl<G> Unpin for AnyOf<G> {}

impl<G: Group> Future for AnyOf<G> {
    type Output = Result<G::Any, Failure>;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_member(cx)
    }
}
