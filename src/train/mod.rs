//! Training runs: settings, the loop, policies and their files.

mod actor;
mod checkpoints;
mod directory;
mod evaluations;
mod fault;
mod init;
mod insight;
mod layers;
mod lines;
mod metrics;
mod policy;
mod ranks;
mod record;
mod returns;
mod run;
mod seeds;
mod state;
mod summary;
mod tensors;
mod trainer;
mod watched;

pub use actor::Actor;
pub use checkpoints::{BEST, CHECKPOINT_FILE, GENERATIONS};
pub use directory::{CONFIG_FILE, Claim, RunDirectory, check_out, run_name};
pub use evaluations::{EVALUATIONS_FILE, Evaluated};
pub use init::{Fitted, INIT_FILE, Init};
pub use insight::{Insight, Thought};
pub use layers::{Bounds, Dense, Layer, MOST_NORMALISED};
pub use metrics::{Line, METRICS_FILE, Measures};
pub use policy::Policy;
pub use record::Account;
pub use returns::Returns;
pub use run::{Event, Options, Outcome, Progress, Resumed, Stop, Wish, follow, run};
pub use seeds::{OfSeed, RESULTS_FILE, Seeds, SeedsOutcome, SeedsSummary, run_seeds};
pub use state::{STATE_FILE, State};
pub use summary::Summary;
pub use trainer::{Report, Trainer};
pub use watched::{Stage, Watched};

pub(crate) use fault::{check_worlds, fault_names};
pub(crate) use summary::peak_rss_mb;
