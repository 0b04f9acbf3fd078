//! Training runs: settings, the loop, policies and their files.

mod actor;
mod checkpoints;
mod directory;
mod fault;
mod insight;
mod metrics;
mod policy;
mod run;
mod seeds;
mod state;
mod summary;
mod tensors;
mod trainer;

pub use actor::Actor;
pub use checkpoints::CHECKPOINT_FILE;
pub use directory::{Claim, RunDirectory, check_out, run_name};
pub use insight::{Insight, Thought};
pub use metrics::Line;
pub use policy::Policy;
pub use run::{Event, Options, Outcome, Resumed, Stop, run};
pub use seeds::{OfSeed, RESULTS_FILE, Seeds, SeedsOutcome, SeedsSummary, run_seeds};
pub use state::{STATE_FILE, State};
pub use summary::Summary;
pub use trainer::{Report, Returns, Trainer};

pub(crate) use fault::check_worlds;
pub(crate) use summary::peak_rss_mb;
