//! What the tests share.
#![allow(dead_code, reason = "not every test uses everything")]

use std::sync::{Arc, Mutex};

use components::{Component, HasInbox, Net, System, for_each};

pub(crate) fn system() -> System {
    System::new(&Net::os())
}

/// A component that collects what it gets.
pub(crate) fn collect<T: Send + 'static>() -> (Arc<Mutex<Vec<T>>>, impl Component + HasInbox<In = T>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&all);
    (all, for_each(move |item| into.lock().unwrap().push(item)))
}
