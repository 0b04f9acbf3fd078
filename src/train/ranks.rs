//! What ranks tell each other beside the exchanges of an update: what comes next, and what each has of metrics, of evaluations
//! and of a state.

use super::State;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::gpu::Ranks;
use crate::layout::{Fault, Metrics};
use crate::plan::Kept;
use bytemuck::{Pod, Zeroable};
use std::collections::HashMap;

/// Words of the smallest buffer.
const LEAST: usize = 4;

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Part {
    /// Updates; none where a run stops and its state is wanted.
    pub count: u32,
    /// 1 = parameters and state are wanted behind them, whether or not there is an evaluation.
    pub kept: u32,
    /// 1 = nothing more.
    pub ends: u32,
}

/// The ranks of a run, as its trainer sees them.
#[derive(Debug)]
pub(super) struct Together {
    ranks: Ranks,
    talk: Talk,
}

/// Whether the first rank tells the others what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talk {
    /// They do not listen yet.
    NotYet,
    /// They wait for it.
    Goes,
    /// The run has ended, or somebody was lost.
    Ended,
}

impl Together {
    pub fn new(ranks: &Ranks) -> Self {
        Self { ranks: ranks.clone(), talk: Talk::NotYet }
    }

    /// Whether each rank trains some agents by itself.
    pub fn deals(&self) -> bool {
        self.ranks.deals()
    }

    /// This rank's share of something that there is one of for each agent, or one for all. Where it does not go round, the last comes
    /// again, and nobody looks at that.
    pub fn dealt<T: Clone>(&self, all: &[T]) -> Vec<T> {
        let rank = self.ranks.rank();
        let each = all.len().div_ceil(rank.count as usize);
        let first = rank.index as usize * each;
        (first..first + each).filter_map(|agent| all.get(agent.min(all.len() - 1))).cloned().collect()
    }

    /// `[agent][word]` of all agents, from those of this rank's.
    pub fn of_agents<T: Pod>(&self, own: &[T], words: usize) -> Result<Vec<T>> {
        let mut all: Vec<T> = bytemuck::pod_collect_to_vec(&self.ranks.gather(bytemuck::cast_slice(own))?);
        all.truncate(words);
        Ok(all)
    }

    /// Whether this is the rank that decides.
    pub fn leads(&self) -> bool {
        self.ranks.rank().is_first()
    }

    /// What the first rank says comes next; the words of others are not heard.
    pub fn next(&mut self, own: Part) -> Result<Part> {
        if self.talk == Talk::Ended {
            return Ok(Part { ends: 1, ..Part::default() });
        }
        self.talk = Talk::Ended; // where this fails
        let all: Vec<Part> = bytemuck::pod_collect_to_vec(&self.ranks.gather(bytemuck::bytes_of(&own))?);
        let part = all.first().copied().unwrap_or_default();
        if part.ends == 0 {
            self.talk = Talk::Goes;
        } else {
            self.part();
        }
        Ok(part)
    }

    /// Nothing more is said: all ranks know that the run has ended.
    pub fn end(&mut self) {
        self.talk = Talk::Ended;
        self.part();
    }

    /// Ranks of a sweep go on to the next launch.
    fn part(&self) {
        if !self.deals() {
            self.ranks.part();
        }
    }

    /// Says nothing more: this rank has failed, or another one was lost, and the others are to be ended from outside.
    pub fn fall_silent(&mut self) {
        self.talk = Talk::Ended;
    }

    /// From here on the others wait for what comes next.
    pub fn begin(&mut self) {
        self.talk = Talk::Goes;
    }

    /// Metrics `[update][agent]` of so many agents on all ranks.
    pub fn metrics(&self, own: &[Vec<Metrics>], total: usize, config: &Config) -> Result<Vec<Vec<Metrics>>> {
        let agents = own.first().map_or(1, Vec::len);
        let rows: Vec<Metrics> = own.iter().flatten().copied().collect();
        let all: Vec<Metrics> = bytemuck::pod_collect_to_vec(&self.ranks.gather(bytemuck::cast_slice(&rows))?);
        let ranks: Vec<&[Metrics]> = all.chunks_exact(rows.len().max(1)).collect();
        if self.deals() {
            let of_update = |n: usize| ranks.iter().flat_map(move |rows| &rows[n * agents..(n + 1) * agents]).copied();
            return Ok((0..own.len()).map(|n| of_update(n).take(total).collect()).collect());
        }
        let joined: Vec<Metrics> = (0..rows.len())
            .map(|i| Metrics::of_ranks(&ranks.iter().map(|rows| rows[i]).collect::<Vec<_>>(), config))
            .collect();
        Ok(joined.chunks(agents).map(<[Metrics]>::to_vec).collect())
    }

    /// Outcomes `[agent][episode]` of all episodes, from those that this rank has played.
    pub fn outcomes(&self, own: &[[f32; 4]], agents: usize, episodes: u32) -> Result<Vec<[f32; 4]>> {
        if self.deals() {
            return self.of_agents(own, agents * episodes as usize);
        }
        let all: Vec<[f32; 4]> = bytemuck::pod_collect_to_vec(&self.ranks.gather(bytemuck::cast_slice(own))?);
        let each = own.len() / agents;
        let of_agent = |agent: usize| {
            let of_ranks = all.chunks_exact(own.len().max(1));
            of_ranks.flat_map(move |of_rank| &of_rank[agent * each..(agent + 1) * each]).take(episodes as usize)
        };
        Ok((0..agents).flat_map(of_agent).copied().collect())
    }

    /// Fails where ranks have come to different parameters.
    pub fn agree(&mut self, hash: &str, updates: u32) -> Result<()> {
        let all = self.ranks.gather(hash.as_bytes())?;
        let differs = all.chunks_exact(hash.len()).position(|other| other != &all[..hash.len()]);
        match differs {
            None => Ok(()),
            Some(rank) => {
                // all of them see it, and none waits for another any more
                self.end();
                Err(Error::Rank {
                    code: 1,
                    rank: format!("rank {rank}"),
                    reason: format!(
                        "its parameters differ from those of rank 0 after {updates} updates, as they do where adapters or drivers do; \
                     use the same on all ranks, or set sync=update, which makes them equal again after every update"
                    ),
                })
            }
        }
    }

    /// The words of a buffer of a state on all ranks together, for the first one.
    pub fn whole(&self, kept: &Kept, own: &[u32]) -> Result<Vec<u32>> {
        let Some(split) = kept.split else { return Ok(own.to_vec()) };
        let all: Vec<u32> = bytemuck::pod_collect_to_vec(&self.ranks.gather(bytemuck::cast_slice(&own[..kept.words]))?);
        if !self.leads() {
            return Ok(Vec::new());
        }
        let of_ranks: Vec<&[u32]> = all.chunks_exact(kept.words).collect();
        let mut whole = split.joined(&of_ranks);
        whole.resize(whole.len().max(LEAST), 0);
        Ok(whole)
    }

    /// What of a whole state is this rank's.
    ///
    /// # Errors
    /// [`Error::Setting`] where it is of another configuration.
    pub fn own(&self, state: &State, kept: &[&Kept]) -> Result<State> {
        let rank = self.ranks.rank();
        let known: HashMap<&str, &Kept> = kept.iter().map(|kept| (kept.name.as_str(), *kept)).collect();
        state.changed(|name, words| {
            let Some(kept) = known.get(name) else { return Ok(words.to_vec()) };
            let Some(split) = kept.split else { return Ok(words.to_vec()) };
            let all = kept.words * rank.count as usize;
            if words.len() != all.max(LEAST) {
                let (was, ranks, each) = (words.len(), rank.count, kept.words);
                let reason = format!(
                    "'{name}' was kept with {was} words, and {ranks} ranks have {each} each now; resume with the same settings"
                );
                return Err(Error::setting("resume", reason));
            }
            let mut own = split.shared(&words[..all], rank.index, rank.count);
            own.resize(own.len().max(LEAST), 0);
            Ok(own)
        })
    }
}

impl Drop for Together {
    /// The others do not wait for what does not come.
    fn drop(&mut self) {
        if self.leads() && self.talk == Talk::Goes {
            let _ = self.next(Part { ends: 1, ..Part::default() }); // who is lost by now needs no word
        }
    }
}

impl Metrics {
    /// What an update did on all ranks: sums of what worlds did, means of what minibatches were, and the first fault.
    fn of_ranks(ranks: &[Self], config: &Config) -> Self {
        let Some(&first) = ranks.first() else { return Self::default() };
        if config.algo.is_search() {
            return first; // what members came to was exchanged before it was written down
        }
        let count = ranks.len() as f32;
        let sum = |of: fn(&Self) -> f32| ranks.iter().map(of).sum::<f32>();
        let mean = |of: fn(&Self) -> f32| {
            (ranks.iter().map(|metrics| f64::from(of(metrics))).sum::<f64>() / f64::from(count)) as f32
        };
        let worlds = config.num_envs / ranks.len() as u32;
        let mut joined = Self {
            episodes: sum(|of| of.episodes),
            return_sum: sum(|of| of.return_sum),
            length_sum: sum(|of| of.length_sum),
            terminated: sum(|of| of.terminated),
            largest_reward: ranks.iter().map(|of| of.largest_reward).fold(0.0, f32::max),
            effective_samples: first.effective_samples * count,
            ..first
        };
        // equal where gradients are exchanged, but for the losses of replay, which nothing is steered by
        joined.policy_loss = mean(|of| of.policy_loss);
        joined.value_loss = mean(|of| of.value_loss);
        joined.q_value = mean(|of| of.q_value);
        joined.entropy = mean(|of| of.entropy);
        joined.approx_kl = mean(|of| of.approx_kl);
        joined.old_approx_kl = mean(|of| of.old_approx_kl);
        joined.clip_fraction = mean(|of| of.clip_fraction);
        joined.grad_norm = mean(|of| of.grad_norm);
        joined.kl = mean(|of| of.kl);
        // a cause before what followed from it, and of equals the earliest, on whichever rank
        let faults = ranks.iter().enumerate().filter(|(_, of)| of.fault != 0);
        if let Some((rank, of)) = faults.min_by_key(|(_, of)| (of.fault & 15, of.fault_step)) {
            let in_world = matches!(Fault::of(of.fault), Some(Fault::Observation | Fault::Reward));
            let first_world = if in_world { rank as u32 * worlds } else { 0 };
            (joined.fault, joined.fault_step, joined.fault_value) = (of.fault, of.fault_step, of.fault_value);
            joined.fault_world = of.fault_world + first_world;
        }
        joined.fault_loop = ranks.iter().map(|of| of.fault_loop).find(|&number| number != 0).unwrap_or(0);
        joined
    }
}
