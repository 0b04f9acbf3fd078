//! `manyworlds trace`

mod given;
mod play;
mod show;

use super::say::reader_left;
use super::{AdapterArgument, checkpoint, foreign};
use crate::cli::ExitCode;
use crate::env::Environment;
use crate::pool::{AutoReset, WorldPool};
use crate::{Error, Result};
use play::Player;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Trace {
    /// Run directory or checkpoint, whose policy plays; or name of a built-in environment, or path of a .wgsl file
    #[arg(value_name = "RUN_OR_ENV")]
    what: String,
    /// The first state, its numbers in the order of State's fields [default: a reset]
    #[arg(long, value_name = "A,B,…", allow_hyphen_values = true)]
    state: Option<String>,
    /// random, or actions one after the other, over and over; numbers of one action are joined by colons: 0.5:-0.2
    /// [default: those of the policy of a run, else random]
    #[arg(long, value_name = "A,B,…", allow_hyphen_values = true)]
    actions: Option<String>,
    /// Steps
    #[arg(long, default_value_t = 10)]
    steps: u32,
    /// Seed of the world and of random actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Draw the actions of a run's policy instead of taking the most likely ones
    #[arg(long)]
    stochastic: bool,
    /// Instead: step once from each state of a JSON file `[{"state": […], "action": …}, …]`, all in one launch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["state", "actions", "steps"])]
    transitions: Option<PathBuf>,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Print one JSON object for each step
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Trace {
    pub fn run(self) -> Result<ExitCode> {
        let is_run = !Environment::is_file_name(&self.what)
            && !Environment::names().any(|name| name == self.what)
            && Path::new(&self.what).exists();
        if is_run {
            return self.of_a_run();
        }
        if self.stochastic {
            let reason = format!("it is for the policy of a run, and '{}' is an environment; leave it out", self.what);
            return Err(Error::Setting { name: "stochastic".to_owned(), reason });
        }
        let env = foreign::load(&self.what, &self.set_env, &self.adapter)?;
        let space = &env.spec().action_space;
        if let Some(path) = &self.transitions {
            let (states, actions) = given::transitions(path, space)?;
            let gpu = self.adapter.quietly(0)?;
            let worlds = u32::try_from(states.len()).unwrap_or(u32::MAX);
            let pool = WorldPool::with_auto_reset(&gpu, &env, worlds, self.seed, AutoReset::Disabled)?;
            pool.set_states(&states)?;
            play::refuse_forbidden(&pool, &actions, "transition")?;
            for step in play::step(&gpu, &pool, &actions, 0)? {
                show::step(&env, &step, self.json)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let player = match self.actions.as_deref() {
            None | Some("random") => Player::Random,
            Some(list) => Player::Given(given::actions(list, &env)?),
        };
        self.play(&env, &player)
    }

    /// The policy of a run, or of a checkpoint, plays.
    fn of_a_run(&self) -> Result<ExitCode> {
        let given = [
            ("actions", self.actions.is_some()),
            ("transitions", self.transitions.is_some()),
            ("set-env", !self.set_env.is_empty()),
        ];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            let reason =
                format!("'{}' is a run, whose policy and environment play as they are; leave it out", self.what);
            return Err(Error::Setting { name: name.to_owned(), reason });
        }
        let policy = checkpoint::load(Path::new(&self.what))?;
        foreign::probe_checkpoint(&policy.env, &self.adapter)?;
        self.play(&policy.env, &Player::Policy(Box::new(policy.insight()?), self.stochastic))
    }

    fn play(&self, env: &Environment, player: &Player) -> Result<ExitCode> {
        let first = self.state.as_deref().map(|list| given::state(list, env)).transpose()?;
        let gpu = self.adapter.quietly(0)?;
        let pool = WorldPool::with_auto_reset(&gpu, env, 1, self.seed, AutoReset::Disabled)?;
        if let Some(first) = first {
            pool.set_states(&[first])?;
        }
        let mut so_far = 0.0;
        for t in 0..self.steps {
            let (action, thought) = player.choose(&pool, t, self.seed)?;
            let mut steps = play::step(&gpu, &pool, &[action], t)?;
            for step in &mut steps {
                so_far += step.reward.as_f64().unwrap_or(f64::NAN);
                step.tell(thought.as_ref(), so_far);
                show::step(env, step, self.json)?;
                if step.terminated || step.truncated {
                    so_far = 0.0;
                }
            }
            if reader_left() {
                break;
            }
            pool.reset_ended()?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
