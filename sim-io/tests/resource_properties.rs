//! Resources under random schedules: beside a simple model where each thing has its turn before the next is done, and by
//! what must always hold where many are done at one instant. Giving up is dropping, which interrupts and kills do too.

use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use sim_io::resources::{Get, Place, Put, Request};
use sim_io::{
    Container, Environment, FilterStore, PreemptiveResource, PriorityResource, PriorityStore, Resource, Store,
};

/// What is done next: something new with a number, or the end of something old; and whether it has its turn at once.
#[derive(Clone, Copy, Debug)]
enum Op {
    Ask { number: u32, flag: bool },
    Put { number: u32 },
    Drop { index: usize },
}

fn ops() -> impl Strategy<Value = Vec<(Op, bool)>> {
    let op = prop_oneof![
        3 => (0_u32..5, any::<bool>()).prop_map(|(number, flag)| Op::Ask { number, flag }),
        3 => (0_u32..5).prop_map(|number| Op::Put { number }),
        2 => any::<usize>().prop_map(|index| Op::Drop { index }),
    ];
    prop::collection::vec((op, any::<bool>()), 1..60)
}

/// Lets everything of this instant have its turn, and begins the next one.
fn settle(env: &Environment) {
    env.run_until(Duration::from_secs(1)).unwrap();
}

// Places.

enum Held {
    Waits(Request),
    Uses(Place),
    Gone,
}

impl Held {
    fn look(&mut self) {
        if let Self::Waits(request) = self
            && let Some(place) = request.now_or_never()
        {
            *self = Self::Uses(place);
        }
        if let Self::Uses(place) = self
            && place.preempted().is_some()
        {
            *self = Self::Gone;
        }
    }
}

/// Priority, number and patience of those who wait and who use.
#[derive(Default)]
struct Places {
    capacity: usize,
    preempts: bool,
    queue: Vec<(u32, usize, bool)>,
    users: Vec<(u32, usize, bool)>,
}

impl Places {
    fn grant(&mut self) -> bool {
        self.queue.sort_unstable();
        let Some(head) = self.queue.first().copied() else {
            return false;
        };
        if self.users.len() == self.capacity
            && self.preempts
            && !head.2
            && let Some(greatest) = self.users.iter().copied().max()
            && greatest > head
        {
            self.users.retain(|user| *user != greatest);
        }
        let granted = self.users.len() < self.capacity;
        if granted {
            self.users.push(self.queue.remove(0));
        }
        granted
    }

    fn drop(&mut self, number: usize) {
        let (users, waiting) = (self.users.len(), self.queue.len());
        self.users.retain(|user| user.1 != number);
        self.queue.retain(|entry| entry.1 != number);
        if self.users.len() < users {
            self.grant();
        } else if self.queue.len() < waiting {
            while self.grant() {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Priority,
    Preemptive,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn places_are_given_as_the_model_does(
        ops in ops(),
        capacity in 1_usize..4,
        kind in prop_oneof![Just(Kind::Plain), Just(Kind::Priority), Just(Kind::Preemptive)],
        at_once: bool,
    ) {
        let env = Environment::new();
        let plain = Resource::new(&env, capacity).unwrap();
        let priority = PriorityResource::new(&env, capacity).unwrap();
        let preemptive = PreemptiveResource::new(&env, capacity).unwrap();
        let mut model = Places { capacity, preempts: matches!(kind, Kind::Preemptive), ..Places::default() };
        let mut held = Vec::new();
        let state = || match kind {
            Kind::Plain => (plain.users(), plain.waiting(), plain.statistics()),
            Kind::Priority => (priority.users(), priority.waiting(), priority.statistics()),
            Kind::Preemptive => (preemptive.users(), preemptive.waiting(), preemptive.statistics()),
        };
        for (op, settles) in ops {
            match op {
                Op::Ask { number, flag } => {
                    let request = match kind {
                        Kind::Plain => plain.request(),
                        Kind::Priority => priority.request(number.into()),
                        Kind::Preemptive if flag => preemptive.request_patiently(number.into()),
                        Kind::Preemptive => preemptive.request(number.into()),
                    };
                    let rank = if matches!(kind, Kind::Plain) { 0 } else { number };
                    model.queue.push((rank, held.len(), flag && model.preempts));
                    model.grant();
                    held.push(Held::Waits(request));
                }
                Op::Drop { index } if !held.is_empty() => {
                    let index = index % held.len();
                    held[index] = Held::Gone;
                    model.drop(index);
                }
                _ => {}
            }
            prop_assert!(state().0 <= capacity);
            if at_once || settles {
                settle(&env);
                held.iter_mut().for_each(Held::look);
                let (users, waiting, statistics) = state();
                // Nobody waits for a place that is free.
                prop_assert!(waiting == 0 || users == capacity);
                prop_assert_eq!(users, held.iter().filter(|held| matches!(held, Held::Uses(_))).count());
                prop_assert_eq!(waiting, held.iter().filter(|held| matches!(held, Held::Waits(_))).count());
                let queue = &statistics.queue;
                prop_assert_eq!(queue.requests, queue.granted + queue.cancelled + waiting as u64);
            }
            if at_once {
                let uses = |index: &usize| matches!(held[*index], Held::Uses(_));
                let mut users: Vec<usize> = model.users.iter().map(|user| user.1).collect();
                users.sort_unstable();
                prop_assert_eq!((0..held.len()).filter(uses).collect::<Vec<_>>(), users);
            }
        }
        drop(held);
        settle(&env);
        prop_assert_eq!((state().0, state().1), (0, 0));
    }

    #[test]
    fn containers_keep_the_amount_and_the_order(ops in ops(), capacity in 1_u32..9, level in 0_u32..9, at_once: bool) {
        let (env, level) = (Environment::new(), level.min(capacity));
        let tank = Container::new(&env, capacity.into(), level.into()).unwrap();
        // Who waits on either side, and what has gone in and out.
        let (mut puts, mut gets) = (Vec::<Put<f64>>::new(), Vec::<(f64, Get<f64>)>::new());
        let mut amounts = Vec::new();
        let mut sum = f64::from(level);
        for (op, settles) in ops {
            match op {
                Op::Ask { number, .. } => gets.push((f64::from(number + 1), tank.get(f64::from(number + 1)).unwrap())),
                Op::Put { number } => {
                    amounts.push(f64::from(number + 1));
                    puts.push(tank.put(f64::from(number + 1)).unwrap());
                }
                Op::Drop { index } if index % 2 == 0 && !gets.is_empty() => drop(gets.remove(index / 2 % gets.len())),
                Op::Drop { index } if !puts.is_empty() => {
                    let index = index / 2 % puts.len();
                    let amount = amounts.remove(index);
                    // What is in stays in; what waits comes back.
                    match puts.remove(index).cancel() {
                        None => sum += amount,
                        Some(back) => prop_assert_eq!(back, amount),
                    }
                }
                Op::Drop { .. } => {}
            }
            // What was granted and given up at one instant goes back, wherever room was made meanwhile.
            prop_assert!(tank.level() >= 0.0 && (!at_once || tank.level() <= capacity.into()));
            if at_once || settles {
                settle(&env);
                // First come, first served: those who are served are the first.
                let served = puts.iter().take_while(|put| put.is_granted()).count();
                prop_assert!(puts[served..].iter().all(|put| !put.is_granted()));
                puts.drain(..served);
                sum += amounts.drain(..served).sum::<f64>();
                let served = gets.iter().take_while(|(_, get)| get.is_granted()).count();
                prop_assert!(gets[served..].iter().all(|(_, get)| !get.is_granted()));
                for (amount, get) in gets.drain(..served) {
                    prop_assert_eq!(get.now_or_never(), Some(amount));
                    sum -= amount;
                }
                prop_assert_eq!(tank.level(), sum);
                // Who is first on either side waits for good reason.
                prop_assert!(gets.first().is_none_or(|(amount, _)| *amount > sum));
                prop_assert!(amounts.first().is_none_or(|amount| *amount > f64::from(capacity) - sum));
            }
        }
    }

    #[test]
    fn stores_lose_nothing_and_give_in_order(
        ops in ops(),
        capacity in 1_usize..5,
        kind in 0_usize..3,
        at_once: bool,
    ) {
        // Items are their kind, which filters ask for and priorities go by, and a number of their own.
        type Item = (u32, usize);
        let env = Environment::new();
        let plain = Store::<Item>::with_capacity(&env, capacity).unwrap();
        let filter = FilterStore::<Item>::with_capacity(&env, capacity).unwrap();
        let priority = PriorityStore::<Item>::with_capacity(&env, capacity).unwrap();
        let (mut puts, mut gets) = (Vec::<(Item, Put<Item>)>::new(), Vec::<(Option<u32>, Get<Item>)>::new());
        let (mut inside, mut made) = (Vec::<Item>::new(), 0);
        for (op, settles) in ops {
            match op {
                Op::Ask { number, flag } => {
                    let wish = Some(number).filter(|_| kind == 1 && flag);
                    let get = match (kind, wish) {
                        (0, _) => plain.get(),
                        (1, Some(wish)) => filter.get_where(move |item| item.0 == wish),
                        (1, None) => filter.get(),
                        _ => priority.get(),
                    };
                    gets.push((wish, get));
                }
                Op::Put { number } => {
                    let item = (number, made);
                    made += 1;
                    puts.push((item, match kind {
                        0 => plain.put(item),
                        1 => filter.put(item),
                        _ => priority.put(item),
                    }));
                }
                Op::Drop { index } if index % 2 == 0 && !gets.is_empty() => drop(gets.remove(index / 2 % gets.len())),
                Op::Drop { index } if !puts.is_empty() => {
                    let (item, put) = puts.remove(index / 2 % puts.len());
                    match put.cancel() {
                        None => inside.push(item),
                        Some(back) => prop_assert_eq!(back, item),
                    }
                }
                Op::Drop { .. } => {}
            }
            if at_once || settles {
                settle(&env);
                let mut entered = Vec::new();
                let mut index = 0;
                while let Some((item, put)) = puts.get(index) {
                    if put.is_granted() {
                        entered.push(*item);
                        drop(puts.remove(index));
                    } else {
                        index += 1;
                    }
                }
                let newest = gets.last().is_some_and(|(_, get)| get.is_granted());
                let mut given = Vec::new();
                let mut index = 0;
                while let Some((wish, get)) = gets.get(index) {
                    let wish = *wish;
                    if get.is_granted() {
                        let item = gets.remove(index).1.now_or_never();
                        given.push((wish, item.ok_or_else(|| TestCaseError::fail("granted, but not given"))?));
                    } else {
                        index += 1;
                    }
                }
                if at_once
                    && newest && matches!(op, Op::Ask { .. })
                    && let Some((wish, item)) = given.last()
                {
                    // It was there when it was asked for, and is the right one.
                    let right = match kind {
                        0 => inside.iter().min_by_key(|item| item.1),
                        1 => inside.iter().filter(|item| wish.is_none_or(|wish| item.0 == wish)).min_by_key(|item| item.1),
                        _ => inside.iter().min(),
                    };
                    prop_assert_eq!(Some(item), right);
                }
                inside.append(&mut entered);
                for (wish, item) in given {
                    // It was put in, and was not given before.
                    let place = inside.iter().position(|other| *other == item);
                    let place = place.ok_or_else(|| TestCaseError::fail(format!("{item:?} is not inside")))?;
                    prop_assert!(wish.is_none_or(|wish| wish == item.0));
                    inside.remove(place);
                }
                let len = [plain.len(), filter.len(), priority.len()][kind];
                prop_assert_eq!(len, inside.len());
                // Nobody waits for what is there, nor for room that is there.
                prop_assert!(puts.is_empty() || len >= capacity);
                prop_assert!(!at_once || len <= capacity);
                let fits = |wish: &Option<u32>| inside.iter().any(|item| wish.is_none_or(|wish| wish == item.0));
                prop_assert!(!gets.iter().any(|(wish, _)| fits(wish)));
            }
        }
    }
}
