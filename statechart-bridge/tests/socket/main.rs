//! The socket service, by a plain controller: a queue.

#[path = "../../../net-core/tests/common/backend.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "not every test uses everything")]
mod backend;

#[path = "../../../net-core/tests/common/certificates.rs"]
#[allow(dead_code, reason = "not every test uses everything")]
mod certificates;

/// What the backends are included as elsewhere: their macros name it so.
mod common {
    pub(crate) use super::backend;
}

mod commands;
#[cfg(feature = "xml")]
mod crowd;
mod defects;
mod endings;
mod extras;
#[cfg(feature = "xml")]
mod http;
#[cfg(feature = "xml")]
#[path = "../../examples/http_echo_chart.rs"]
#[allow(dead_code, reason = "its `main` is not for here")]
mod http_echo_chart;
mod model;
mod rig;
mod runtime;
mod start_tls;
