//! Agents of trials, side by side where their settings allow it.

use super::records::{Record, Records};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::layout::Run;
use crate::train::Trainer;

/// An agent to train.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub trial: u32,
    pub seed: u32,
    pub config: Config,
}

/// What happens in a sweep.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A round begins.
    Round {
        /// Its number, from 0.
        round: u32,
        /// Trials that are in it.
        trials: usize,
    },
    /// Finalists are made again.
    Finals {
        /// How many they are.
        trials: usize,
        /// With how many seeds each.
        seeds: usize,
    },
    /// A launch begins.
    Launch {
        /// Agents side by side.
        agents: usize,
        /// Updates of each.
        updates: u32,
    },
    /// So many updates of the launch are done.
    Updates(u32),
    /// A launch has ended; what its agents came to is written.
    Ended(&'a [Record]),
}

/// What these agents come to, in their order; what is known is not made again.
pub(super) fn all(
    gpu: &Gpu,
    env: &Environment,
    agents: &[Agent],
    records: &mut Records,
    launches: &mut u32,
    watch: &mut impl FnMut(Event),
) -> Result<Vec<Record>> {
    let open: Vec<&Agent> = agents.iter().filter(|agent| records.of(agent).is_none()).collect();
    // from the back, so that halves of what does not fit come next
    let mut groups = groups(&open);
    groups.reverse();
    while let Some(group) = groups.pop() {
        match launch(gpu, env, &group, watch) {
            Ok(came) => {
                *launches += 1;
                records.add(&came)?;
                watch(Event::Ended(&came));
            }
            Err(Error::TooLarge { .. }) if group.len() > 1 => {
                let (first, second) = group.split_at(group.len() / 2);
                groups.push(second.to_vec());
                groups.push(first.to_vec());
            }
            Err(error) => return Err(error),
        }
    }
    let known = |agent: &Agent| {
        let missing = || Error::Gpu(format!("trial {} has left no record", agent.trial));
        records.of(agent).cloned().ok_or_else(missing)
    };
    agents.iter().map(known).collect()
}

/// Agents that can be in one launch, in their order.
fn groups<'a>(agents: &[&'a Agent]) -> Vec<Vec<&'a Agent>> {
    let mut groups: Vec<Vec<&Agent>> = Vec::new();
    for &agent in agents {
        let fits = |group: &&mut Vec<&Agent>| group.len() < Run::MOST && go_together(&agent.config, &group[0].config);
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(agent),
            None => groups.push(vec![agent]),
        }
    }
    groups
}

/// Whether agents with these settings can be in one launch.
fn go_together(a: &Config, b: &Config) -> bool {
    let fixed = |name: &str| name != "seed" && !(a.algo.is_on_policy() && Config::NUMBERS.contains(&name));
    let values = a.values().into_iter().zip(b.values());
    Config::SETTINGS.iter().zip(values).all(|(setting, (a, b))| a == b || !fixed(setting.name))
}

/// Trains agents to the end. One whose numbers cease to be finite leaves the others alone.
fn launch(gpu: &Gpu, env: &Environment, group: &[&Agent], watch: &mut impl FnMut(Event)) -> Result<Vec<Record>> {
    let threshold = env.spec().reward_threshold.map(f64::from);
    let configs: Vec<Config> = group.iter().map(|agent| agent.config.clone()).collect();
    let seeds: Vec<u32> = group.iter().map(|agent| agent.seed).collect();
    let same = configs.iter().all(|config| *config == configs[0]);
    let trainer = Trainer::of_each(gpu, env, if same { &configs[..1] } else { &configs }, &seeds);
    let trainer = match gpu.ranks() {
        Some(ranks) => ranks.agree(trainer)?,
        None => trainer?,
    };
    let trainer = trainer.forgiving();
    watch(Event::Launch { agents: group.len(), updates: trainer.num_updates() });
    let mut came: Vec<Record> = group.iter().map(|agent| Record::before(agent)).collect();
    for report in trainer {
        let report = report?;
        watch(Event::Updates(report.updates));
        let fell = |agent: usize| report.fallen.iter().any(|(fallen, _)| *fallen == agent);
        for (agent, (returns, _)) in report.evaluation.iter().flatten().enumerate() {
            came[agent].score = (!fell(agent)).then_some(returns.mean);
            came[agent].solved |= !fell(agent) && threshold.is_some_and(|threshold| returns.passes(threshold));
        }
    }
    Ok(came)
}

#[cfg(test)]
mod tests {
    use super::{Agent, groups};
    use crate::config::Config;
    use crate::layout::Run;

    #[test]
    fn agents_that_differ_in_numbers_go_together() {
        let agent = |trial: u32, algo: &str, pair: &str| {
            let config = Config::preset("", algo).and_then(|config| config.with(&[pair.to_owned()])).expect(pair);
            Agent { trial, seed: trial, config }
        };
        let of = |agents: &[Agent]| -> Vec<Vec<u32>> {
            let groups = groups(&agents.iter().collect::<Vec<_>>());
            groups.iter().map(|group| group.iter().map(|agent| agent.trial).collect()).collect()
        };
        let mixed = [
            agent(0, "ppo", "learning_rate=0.001"),
            agent(1, "ppo", "num_minibatches=8"),
            agent(2, "ppo", "learning_rate=0.002"),
            agent(3, "ppo", "num_minibatches=8"),
            agent(4, "ppo", "norm_adv=false"),
        ];
        assert_eq!(of(&mixed), [vec![0, 2], vec![1, 3], vec![4]]);
        // replay reads its numbers from one place for all
        assert_eq!(
            of(&[agent(0, "td3", "tau=0.1"), agent(1, "td3", "tau=0.2"), agent(2, "td3", "tau=0.1")]),
            [vec![0, 2], vec![1]]
        );
        let many: Vec<Agent> = (0..=Run::MOST as u32).map(|n| agent(n, "ppo", "gamma=0.9")).collect();
        assert_eq!(of(&many).iter().map(Vec::len).collect::<Vec<_>>(), [Run::MOST, 1]);
    }
}
