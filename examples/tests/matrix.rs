//! Each of the five models as the client of each, over the operating system's sockets and over a simulated network: what
//! `cargo xtask interop` prints as a table, pair by pair.

use examples::matrix::{Backend, Model, check};

macro_rules! pairs {
    ($($module:ident $backend:ident: $($client:ident $variant:ident),+;)+) => {$(
        mod $module {
            $(
                mod $client {
                    use super::super::{Backend, Model, check};

                    fn with(server: Model) {
                        if let Err(error) = check(Model::$variant, server, Backend::$backend) {
                            panic!("{} with {server} ({}): {error}", Model::$variant, Backend::$backend);
                        }
                    }

                    #[test]
                    fn with_oneline() {
                        with(Model::Oneline);
                    }

                    #[test]
                    fn with_sim_io() {
                        with(Model::SimIo);
                    }

                    #[test]
                    fn with_hsms() {
                        with(Model::Hsms);
                    }

                    #[test]
                    fn with_components() {
                        with(Model::Components);
                    }

                    #[test]
                    fn with_statechart() {
                        with(Model::Statechart);
                    }
                }
            )+
        }
    )+};
}

pairs! {
    os Os: oneline Oneline, sim_io SimIo, hsms Hsms, components Components, statechart Statechart;
    virtual_network Virtual: oneline Oneline, sim_io SimIo, hsms Hsms, components Components, statechart Statechart;
}
