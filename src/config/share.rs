//! What one of several ranks has of a run.

use super::Config;
use crate::error::{Error, Result};
use crate::gpu::Rank;
use crate::kernels::Block;

impl Config {
    /// Shards of a run over so many ranks: what the setting says, or one for each rank.
    pub fn shards_of(&self, ranks: u32) -> u32 {
        if self.shards == 0 { ranks } else { self.shards }
    }

    /// The share of one rank, as the configuration of a run of its own, and which worlds those are: as many worlds, samples of a
    /// minibatch of transitions, places of a ring and environment steps as every other has.
    ///
    /// # Errors
    /// [`Error::Setting`] where something cannot be shared out evenly.
    pub fn share(&self, rank: Rank) -> Result<(Self, Block)> {
        let shards = self.shards_of(rank.count);
        if self.algo.is_search() || shards == 1 && rank.is_alone() {
            return Ok((self.clone(), Block::ALL));
        }
        let among = |name: &str, value: u32, parts: u32, of: &str| {
            if value.is_multiple_of(parts) {
                return Ok(value / parts);
            }
            let next = value.next_multiple_of(parts);
            Err(Error::setting(name, format!("{value} cannot be shared out among {of} evenly; {next} can")))
        };
        let all = format!("{shards} shards");
        among("shards", shards, rank.count, &format!("{} ranks", rank.count))?;
        among("num_envs", self.num_envs, shards, &all)?;
        let own = shards / rank.count;
        let mut share = Self {
            num_envs: self.num_envs / rank.count,
            total_timesteps: self.total_timesteps / u64::from(rank.count),
            ..self.clone()
        };
        let mut first_sample = 0;
        if self.algo.is_off_policy() {
            among("batch_size", self.batch_size, shards, &all)?;
            among("buffer_size", self.buffer_size, shards, &all)?;
            // the worlds of a shard are as many everywhere in the ring
            among("buffer_size", self.buffer_size, self.num_envs, &format!("{} worlds", self.num_envs))?;
            share.batch_size = self.batch_size / rank.count;
            share.buffer_size = self.buffer_size / rank.count;
            share.learning_starts = self.warm_up_steps() * share.num_envs;
            first_sample = rank.index * share.batch_size;
        } else {
            if self.reuse > 0 && own > 1 {
                return Err(Error::setting(
                    "reuse",
                    format!("{} does not go with {own} shards in a process", self.reuse),
                ));
            }
            let shuffled = (!self.algo.takes_one_step()).then_some(("num_minibatches", self.num_minibatches));
            let fitted = (self.algo.fits_apart() && self.estimator.has_critic())
                .then_some(("value_minibatches", self.value_minibatches));
            for (name, minibatches) in shuffled.into_iter().chain(fitted) {
                if !self.rollout_size().is_multiple_of(minibatches * shards) {
                    let samples = self.rollout_size();
                    let reason = format!("{minibatches} of {samples} samples cannot have as many of each of {all}");
                    return Err(Error::setting(name, reason));
                }
            }
        }
        let block = Block {
            first_world: rank.index * share.num_envs,
            first_sample,
            first_shard: rank.index * own,
            shards: own,
        };
        Ok((share, block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(algo: &str) -> Config {
        Config::preset("Pendulum-v1", algo).unwrap_or_default()
    }

    #[test]
    fn every_rank_has_its_block_of_the_worlds() {
        let whole = Config { num_envs: 24, shards: 6, num_steps: 32, num_minibatches: 4, ..config("ppo") };
        for index in 0..3 {
            let (share, block) = whole.share(Rank { index, count: 3 }).expect("24 worlds among 3");
            assert_eq!((share.num_envs, share.num_updates()), (8, whole.num_updates()));
            assert_eq!(block, Block { first_world: 8 * index, first_sample: 0, first_shard: 2 * index, shards: 2 });
        }
        let alone = Config { shards: 0, ..whole }.share(Rank::ALONE).expect("one rank");
        assert_eq!(alone.1, Block::ALL);
    }

    #[test]
    fn as_many_updates_as_one_process_makes() {
        for algo in ["ppo", "sac"] {
            for total in [10_007, 31_000, 65_536] {
                let whole = Config {
                    num_envs: 12,
                    batch_size: 120,
                    buffer_size: 12_000,
                    total_timesteps: total,
                    learning_starts: 1001,
                    ..config(algo)
                };
                let (share, _) = whole.share(Rank { index: 1, count: 4 }).expect("12 worlds among 4");
                assert_eq!(share.num_updates(), whole.num_updates(), "{algo}, {total}");
                assert_eq!(4 * share.warm_up(), whole.warm_up());
            }
        }
    }

    #[test]
    fn what_does_not_divide_is_refused_with_what_would() {
        let whole = Config { num_envs: 10, ..config("ppo") };
        let error = whole.share(Rank { index: 0, count: 4 }).expect_err("10 worlds among 4");
        assert!(error.to_string().contains("num_envs") && error.to_string().contains("12 can"), "{error}");
        let whole = Config { num_envs: 12, shards: 4, ..config("ppo") };
        assert!(
            whole.share(Rank { index: 0, count: 3 }).expect_err("4 shards, 3 ranks").to_string().contains("shards")
        );
    }
}
