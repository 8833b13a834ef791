//! Log events, if the feature `tracing` is on.

macro_rules! log_info {
    ($($event:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::info!(target: "statechart", $($event)*);
    }};
}

macro_rules! log_warn {
    ($($event:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::warn!(target: "statechart", $($event)*);
    }};
}
