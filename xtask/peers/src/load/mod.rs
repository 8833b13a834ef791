//! The client ends. A load runs on the thread that measures, in Rust, as cheap per frame as the cheapest server: a slow
//! load is what one measures in the end.

pub mod bulk;
pub mod echoed;
pub mod http;
pub mod pipelined;
pub mod sequential;
