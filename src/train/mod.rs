//! Training runs: settings, the loop, policies and their files.

mod config;
mod fault;
mod policy;
mod run;
mod state;
mod trainer;

pub use config::{ActionNoise, Config, Penalty, Setting};
pub use policy::Policy;
pub use run::{Line, Options, Summary, check_out, run};
pub use state::{STATE_FILE, State};
pub use trainer::{Report, Returns, Trainer};

pub(crate) use fault::check_worlds;
pub(crate) use run::peak_rss_mb;
