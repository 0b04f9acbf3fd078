//! The training loop: updates are submitted ahead, results are read behind, the device never waits.

use super::ranks::{Part, Together};
use super::watched::{Wanted, Watch, Watched};
use super::{Policy, Returns, State, fault};
use crate::algo::{Learning, RING};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Readback, Recording, Span};
use crate::layout::Metrics;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes that are read beside a state: metrics, outcomes and parameters, more or less.
const READ_BESIDE: u64 = 16 << 20;

/// Submissions that may be under way at once: one runs while the host reads the one before.
const AHEAD: usize = 2;

/// How long the updates of a submission may take together: as long as a caller who wants to stop has to wait.
const SUBMISSION: Duration = Duration::from_secs(1);

/// A training run of one or more agents that is read by plain iteration: each item is a [`Report`] of some updates.
///
/// Evaluations happen at fixed update numbers, on the device, with the parameters of that update. Updates that were
/// submitted after an evaluation at which the caller stops are simply never read, so timing cannot change a result.
///
/// An update that meets a number that is not finite ends the run: the item behind the report of the updates before it is
/// [`Error::NotFinite`] or [`Error::LoopCut`], the one of an evaluation that does [`Error::EpisodeNotFinite`], and none follows.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Config, Environment, Gpu, Trainer};
///
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
/// let config = Config::preset("CartPole-v1", "ppo")?;
/// for report in Trainer::new(&gpu, &Environment::load("CartPole-v1")?, &config, &[1, 2])? { // two agents
///     let report = report?;
///     for (returns, policy) in report.evaluation.into_iter().flatten() {
///         println!("seed {}, {} steps: {returns}", policy.config.seed, report.env_steps);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Trainer {
    gpu: Gpu,
    env: Environment,
    /// Of all agents, or of each.
    configs: Vec<Config>,
    seeds: Vec<u32>,
    learning: Learning,
    /// The other ranks, where there are any.
    together: Option<Together>,
    submitted: u32,
    /// Steps that all worlds of the first agent have made, where episodes decide that: searches.
    played: u64,
    /// Whether the next submission is to be kept.
    asked: bool,
    /// Whether nothing but what is under way is wanted any more.
    stopping: bool,
    /// Updates after which the last submission that was kept stands.
    kept: Option<u32>,
    /// What an update took lately.
    pace: Option<Duration>,
    /// When the last report was made, or the first submission.
    last: Instant,
    /// Whether evaluations are read before anything is submitted behind them.
    until_solved: bool,
    /// Whether the state is kept at every evaluation, and the transitions with it.
    keeps: Option<bool>,
    /// What is told besides, now and then.
    watch: Option<Watch>,
    /// Steps of the run that did not go into the rings, less those into them that are not of the run: what a resumed one made up
    /// for transitions that were not kept.
    ring_offset: i64,
    pending: VecDeque<Pending>,
    /// Why the run ends behind the report before.
    failed: Option<Error>,
    /// Agents whose numbers are not finite any more, and what was wrong first, where they leave the others to go on.
    fallen: Option<Vec<(usize, String)>>,
}

#[derive(Debug)]
struct Pending {
    first: u32,
    count: u32,
    evaluated: bool,
    /// Whether parameters, and the state where it is wanted, are read with it.
    kept: bool,
    /// Whether the time that it takes tells of the pace: not while the run was held.
    timed: bool,
    /// What is told of it besides.
    watched: Wanted,
    readback: Readback,
}

/// What some updates did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// `[update][agent]`
    pub metrics: Vec<Vec<Metrics>>,
    /// Updates that are finished, these included.
    pub updates: u32,
    /// Steps that all worlds of the first agent have made.
    pub env_steps: u64,
    /// For each agent, if the last of these updates was evaluated: how its policy fared, and the policy.
    pub evaluation: Option<Vec<(Returns, Policy)>>,
    /// Each agent's policy then, if there was an evaluation, or where it was asked for ([`Trainer::ask`]).
    pub policies: Option<Vec<Policy>>,
    /// The state that goes with them, where it is kept ([`Trainer::keeping`]).
    pub state: Option<State>,
    /// Agents whose numbers have ceased to be finite, and what was wrong first, where that is forgiven
    /// ([`Trainer::forgiving`]): what else is told of them means nothing.
    pub fallen: Vec<(usize, String)>,
    /// What is told besides, where somebody watches ([`Trainer::watching`]); not with every report.
    pub watched: Option<Watched>,
}

impl Trainer {
    /// Agents with these seeds; the seed in `config` is not used.
    ///
    /// # Errors
    /// [`Error::Setting`] where a value is not allowed, [`Error::TooLarge`] before anything is allocated, and those of
    /// [`Plan::build`](crate::plan::Plan::build).
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        Self::of_each(gpu, env, std::slice::from_ref(config), seeds)
    }

    /// Agents with these seeds and a configuration each, side by side: each is what it would be alone. They may differ in what
    /// kernels read as a number ([`Config::NUMBERS`]), where they learn from rollouts.
    ///
    /// # Errors
    /// Those of [`Trainer::new`], and [`Error::Setting`] where configurations differ in anything else.
    pub fn of_each(gpu: &Gpu, env: &Environment, configs: &[Config], seeds: &[u32]) -> Result<Self> {
        let together = gpu.ranks().map(Together::new);
        let learning = match &together {
            Some(together) if together.deals() => {
                Config::check_each(configs, seeds.len(), env)?;
                Learning::of_each(gpu, env, &together.dealt(configs), &together.dealt(seeds))?
            }
            _ => Learning::of_each(gpu, env, configs, seeds)?,
        };
        Ok(Self {
            gpu: gpu.clone(),
            env: env.clone(),
            configs: configs.to_vec(),
            seeds: seeds.to_vec(),
            learning,
            together,
            submitted: 0,
            played: 0,
            asked: false,
            stopping: false,
            kept: None,
            pace: None,
            last: Instant::now(),
            until_solved: false,
            keeps: None,
            watch: None,
            ring_offset: 0,
            pending: VecDeque::new(),
            failed: None,
            fallen: None,
        })
    }

    /// Submits nothing behind an evaluation before it was read: for callers who may stop there, and would otherwise wait for
    /// work that nobody reads. Results are the same.
    #[must_use]
    pub fn until_solved(mut self) -> Self {
        self.until_solved = true;
        self
    }

    /// Goes on with the other agents where the numbers of one are not finite any more; reports say which. Without it the run
    /// ends there.
    #[must_use]
    pub fn forgiving(mut self) -> Self {
        self.fallen = Some(Vec::new());
        self
    }

    /// Reports every few seconds besides where the time of an update goes and what its worlds did ([`Report::watched`]).
    /// Results are the same.
    #[must_use]
    pub fn watching(mut self) -> Self {
        // between the parts of an update several ranks wait for each other: there are no spans to time
        self.watch = self.together.is_none().then(|| Watch::new(&self.gpu, &self.learning));
        self
    }

    /// The caller has let the run wait for so long; for how much of that it had nothing to do, as far as its pace tells. How long
    /// what is under way takes to be read says nothing of its pace.
    pub fn held(&mut self, time: Duration) -> Duration {
        for pending in &mut self.pending {
            pending.timed = false;
        }
        let under_way: u32 = self.pending.iter().map(|pending| pending.count).sum();
        time.saturating_sub(self.pace.unwrap_or_default().saturating_mul(under_way))
    }

    /// Reports policies and state with the next submission, whether or not it ends with an evaluation. Results are the same.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Submits no further updates. What is under way is still reported, with policies and state in the last report.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Reports the state at every evaluation, with the transitions where `ring` is set.
    #[must_use]
    pub fn keeping(mut self, ring: bool) -> Self {
        self.keeps = Some(ring);
        self
    }

    /// All ranks are ready: from here on the others wait for what this one says, whatever becomes of it.
    pub(super) fn begin(&mut self) {
        if let Some(together) = &mut self.together {
            together.begin();
        }
    }

    /// Refuses a state that is too large to be read back at once.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] with the arithmetic.
    pub(super) fn check_state(&self, gpu: &Gpu) -> Result<()> {
        let buffers: Vec<_> = self.keeps.iter().flat_map(|&ring| self.learning.state(ring)).collect();
        let bytes: u64 = buffers.iter().map(|(_, buffer)| buffer.size()).sum();
        let limit = gpu.device().limits().max_buffer_size;
        if bytes.saturating_add(READ_BESIDE) <= limit {
            return Ok(());
        }
        let arithmetic =
            format!("{} buffers, the ring of buffer_size {} among them,", buffers.len(), self.config().buffer_size);
        let remedy = "buffer_size or num_envs, or leave --save-replay out".to_owned();
        Err(crate::Error::TooLarge { buffer: "state".to_owned(), arithmetic, bytes, limit, remedy })
    }

    /// Goes on from a state, which a run of the same configuration has reported; `total_timesteps` may be another, and
    /// schedules follow it from the next update on. Transitions that were not kept are made anew by the policy, and do not
    /// count as steps.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] where the state is of another configuration, and as [`Gpu::submit`].
    pub fn resume(mut self, state: &State) -> Result<Self> {
        let kept: Vec<_> = self.learning.kept(state.ring).collect();
        let own = self.together.as_ref().map(|together| together.own(state, &kept)).transpose()?;
        own.as_ref().unwrap_or(state).restore(&self.gpu, &self.learning.state(state.ring).collect::<Vec<_>>())?;
        if !state.ring {
            let made = self.learning.refill(&self.gpu, self.config())?;
            self.ring_offset = made.cast_signed() - state.env_steps.cast_signed();
        }
        if state.num_updates != self.num_updates() {
            self.learning.reschedule(&self.gpu, &self.env, self.config())?;
        }
        self.submitted = state.updates;
        self.played = state.env_steps;
        Ok(self)
    }

    /// What all agents have in common, with the numbers of the first.
    fn config(&self) -> &Config {
        &self.configs[0]
    }

    /// Updates of the whole run.
    pub fn num_updates(&self) -> u32 {
        self.config().num_updates()
    }

    /// The algorithm with its buffers.
    pub fn learning(&self) -> &Learning {
        &self.learning
    }

    /// Updates of the next submission, if none of them is to be evaluated: as many as the metrics' ring holds, and as can be
    /// waited for. Where nothing is known yet, one.
    fn block(&self) -> u32 {
        let possible = |pace: Duration| SUBMISSION.as_secs_f64() / pace.as_secs_f64().max(1e-9);
        self.pace.map_or(1, |pace| possible(pace).clamp(1.0, f64::from(RING)) as u32)
    }

    /// The update behind which the next evaluation comes.
    fn next_evaluation(&self) -> u32 {
        let every = if self.config().eval_every == 0 { u32::MAX } else { self.config().eval_every };
        (self.submitted / every).saturating_add(1).saturating_mul(every).min(self.num_updates())
    }

    /// Updates up to the next evaluation or [`Trainer::block`], or none where the run stops and its state is wanted.
    fn next_part(&mut self) -> Part {
        let count = if self.stopping { 0 } else { (self.next_evaluation() - self.submitted).min(self.block()) };
        Part { count, kept: u32::from(std::mem::take(&mut self.asked) || self.stopping), ends: 0 }
    }

    /// Submits these updates, with an evaluation where they end before one.
    fn submit(&mut self, part: Part) -> Result<()> {
        let (first, count) = (self.submitted, part.count);
        let evaluated = count > 0 && first + count == self.next_evaluation();
        let kept = evaluated || part.kept != 0;
        if self.pending.is_empty() {
            self.last = Instant::now();
        }

        let updates = vec![&self.learning.update; count as usize];
        let mut evaluation = Recording::default();
        let mut sources = vec![self.learning.metrics.raw()];
        if evaluated {
            for stage in std::iter::once(&self.learning.evaluation).chain(&self.learning.evaluation_of_best) {
                stage.record(&mut evaluation);
                sources.push(stage.outcomes.raw());
            }
        }
        if kept {
            sources.extend(self.learning.parameters.iter().map(Buffer::raw));
            sources.extend(self.keeps.iter().flat_map(|&ring| self.learning.state(ring)).map(|(_, buffer)| buffer));
        }
        let mut sources: Vec<_> = sources.into_iter().map(|source| (source, 0..source.size())).collect();
        let (spans, watched) = match &mut self.watch {
            Some(watch) => watch.spans(&updates, evaluation),
            None => {
                let mut passes = Recording::default();
                updates.into_iter().chain([&evaluation]).for_each(|part| passes.extend(part));
                (vec![Span { passes, timed: false }], Wanted::default())
            }
        };
        let mut watched = watched;
        if let Some(watch) = &self.watch {
            let config = &self.configs[0];
            let made = config.env_steps(first + count).saturating_add_signed(self.ring_offset);
            let actions =
                self.learning.actions(self.env.spec().action_space.words(), made, config.rollout_size().into());
            watch.read(&mut watched, actions, &mut sources);
        }
        let stopwatch = self.watch.as_ref().and_then(Watch::stopwatch);
        let readback = self.gpu.submit_spans(&spans, stopwatch, &sources)?;
        self.pending.push_back(Pending { first, count, evaluated, kept, timed: true, watched, readback });
        self.submitted += count;
        if kept {
            self.kept = Some(self.submitted);
        }
        Ok(())
    }

    /// The first of these updates `[update][agent]` that met something unsound, and what that was.
    fn unsound(&self, metrics: &[Vec<Metrics>]) -> Option<(usize, Error)> {
        metrics.iter().enumerate().find_map(|(update, agents)| {
            let check = |(metrics, &seed)| {
                fault::check_update(metrics, &self.env, self.config(), seed, &self.learning.layout).err()
            };
            agents.iter().zip(&self.seeds).find_map(check).map(|error| (update, error))
        })
    }

    /// Notes agents that have fallen in these updates `[update][agent]`.
    fn forgive(&mut self, metrics: &[Vec<Metrics>]) -> Result<()> {
        for (agent, &seed) in self.seeds.clone().iter().enumerate() {
            let config = &self.configs[agent.min(self.configs.len() - 1)];
            let check = |agents: &Vec<Metrics>| {
                fault::check_update(&agents[agent], &self.env, config, seed, &self.learning.layout)
            };
            let checked = metrics.iter().try_for_each(check);
            self.forgiven(agent, checked)?;
        }
        Ok(())
    }

    /// Lets an error of an agent be, where that is forgiven.
    fn forgiven(&mut self, agent: usize, checked: Result<()>) -> Result<()> {
        match (&mut self.fallen, checked) {
            (None, checked) => checked,
            (Some(fallen), Err(error)) if fallen.iter().all(|(known, _)| *known != agent) => {
                fallen.push((agent, error.to_string()));
                Ok(())
            }
            (Some(_), _) => Ok(()),
        }
    }

    /// Ends the run: what was submitted is never read.
    fn end(&mut self) {
        self.submitted = self.num_updates();
        self.pending.clear();
    }

    /// Steps after so many updates, the last of which have these metrics.
    fn env_steps(&mut self, updates: u32, metrics: &[Vec<Metrics>]) -> u64 {
        if !self.config().algo.is_search() {
            return self.config().env_steps(updates);
        }
        self.played += metrics.iter().filter_map(|agents| agents.first()).map(|of| u64::from(of.steps)).sum::<u64>();
        self.played
    }

    /// Submits as much as may be under way.
    fn submit_ahead(&mut self) -> Result<()> {
        while !self.stopping && self.submitted < self.num_updates() && self.pending.len() < AHEAD {
            if self.until_solved && self.pending.iter().any(|block| block.evaluated) {
                break;
            }
            let part = self.next_part();
            self.submit(part)?;
        }
        if self.wants_state() {
            let part = self.next_part();
            self.submit(part)?;
        }
        Ok(())
    }

    /// Whether the run stops and nobody has its state yet.
    fn wants_state(&self) -> bool {
        self.stopping && self.pending.is_empty() && self.kept != Some(self.submitted)
    }

    /// Submits what the first rank says comes next. Exchanges make the host wait within an update, so nothing is submitted ahead.
    fn submit_together(&mut self) -> Result<()> {
        let goes_on = !self.stopping && self.submitted < self.num_updates() || self.wants_state();
        let own = if goes_on { self.next_part() } else { Part { ends: 1, ..Part::default() } };
        let Some(together) = &mut self.together else { return Ok(()) };
        let part = together.next(own)?;
        if part.ends != 0 {
            self.submitted = self.num_updates();
            return Ok(());
        }
        let submitted = self.submit(part);
        if let (Err(_), Some(together)) = (&submitted, &mut self.together) {
            together.fall_silent();
        }
        submitted
    }

    fn report(&mut self) -> Result<Option<Report>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match self.together {
            Some(_) => self.submit_together()?,
            None => self.submit_ahead()?,
        }
        let Some(Pending { first, count, evaluated, kept, timed, watched, readback }) = self.pending.pop_front() else {
            return Ok(None);
        };
        let arrived = readback.wait(&self.gpu)?;
        let now = Instant::now();
        let took = now.duration_since(self.last);
        // an evaluation takes as long as it takes
        if timed && count > 0 && (!evaluated || self.pace.is_none()) {
            self.pace = Some(took / count);
        }
        self.last = now;
        let watched = self.watch.as_ref().filter(|_| watched.update || watched.evaluation).map(|watch| {
            let update = self.pace.filter(|_| timed);
            let evaluation = update.map(|update| took.saturating_sub(update * count));
            watch.arrived(&watched, &arrived, [update, evaluation])
        });
        let agents = self.seeds.len();
        let ring: Vec<Metrics> = arrived.take(0);
        let own_agents = ring.len() / RING as usize;
        let row = |update: u32| {
            let at = (update % RING) as usize * own_agents;
            ring[at..at + own_agents].to_vec()
        };
        let updates = first + count;
        let mut metrics: Vec<Vec<Metrics>> = (first..updates).map(row).collect();
        if let Some(together) = &self.together {
            metrics = together.metrics(&metrics, agents, self.config())?;
        }
        if self.fallen.is_some() {
            self.forgive(&metrics)?;
        } else if let Some((sound, error)) = self.unsound(&metrics) {
            self.end();
            if let Some(together) = &mut self.together {
                together.end(); // all of them see it
            }
            if sound == 0 {
                return Err(error);
            }
            // updates before it are told as ever
            self.failed = Some(error);
            metrics.truncate(sound);
            let updates = first + sound as u32;
            let env_steps = self.env_steps(updates, &metrics);
            let (evaluation, policies, state, fallen) = (None, None, None, Vec::new());
            return Ok(Some(Report {
                metrics,
                updates,
                env_steps,
                evaluation,
                policies,
                state,
                fallen,
                watched: None,
            }));
        }
        let env_steps = self.env_steps(updates, &metrics);
        // behind the metrics come outcomes, parameters and the state, where they were wanted
        let episodes = self.config().eval_episodes as usize;
        let outcomes_of = |source: usize| -> Result<Vec<[f32; 4]>> {
            let own: Vec<[f32; 4]> = arrived.take(source);
            let Some(together) = &self.together else { return Ok(own) };
            together.outcomes(&own, agents, episodes as u32)
        };
        let searches = self.learning.evaluation_of_best.is_some();
        let outcomes = evaluated.then(|| outcomes_of(1)).transpose()?;
        let of_best = (evaluated && searches).then(|| outcomes_of(2)).transpose()?;
        if let Some(outcomes) = &outcomes {
            for (agent, outcomes) in outcomes.chunks_exact(episodes).enumerate() {
                let checked = fault::check_outcomes(outcomes, &self.env, self.seeds[agent], updates);
                self.forgiven(agent, checked)?;
            }
        }
        let returns = |outcomes: Vec<[f32; 4]>| outcomes.chunks_exact(episodes).map(Returns::of).collect::<Vec<_>>();
        let (outcomes, of_best) = (outcomes.map(returns), of_best.map(returns));
        let evaluations = if evaluated { 1 + usize::from(searches) } else { 0 };
        let (first_parameters, networks) = (1 + evaluations, self.learning.parameters.len());
        let parameters = |n: usize| -> Result<Vec<f32>> {
            let own: Vec<f32> = arrived.take(n);
            match &self.together {
                Some(together) if together.deals() => together.of_agents(&own, own.len() / own_agents * agents),
                _ => Ok(own),
            }
        };
        let buffers = (first_parameters..first_parameters + networks).filter(|_| kept).map(parameters);
        let buffers = buffers.collect::<Result<Vec<Vec<f32>>>>()?;
        let policies: Option<Vec<Policy>> = kept.then(|| {
            // an agent's networks, one buffer after the other
            let own = |agent: usize| -> Vec<f32> {
                buffers
                    .iter()
                    .filter_map(|words| words.chunks_exact(words.len() / agents).nth(agent))
                    .flatten()
                    .copied()
                    .collect()
            };
            let policy = |(agent, &seed): (usize, &u32)| {
                let parameters = self.learning.layout.compact(&own(agent));
                let config = Config { seed, ..self.configs[agent.min(self.configs.len() - 1)].clone() };
                let mut policy = Policy::new(&self.env, config, updates, parameters);
                policy.evaluation = outcomes.as_ref().and_then(|agents| agents.get(agent)).copied();
                policy.evaluation_of_best = of_best.as_ref().and_then(|agents| agents.get(agent)).copied();
                policy
            };
            self.seeds.iter().enumerate().map(policy).collect()
        });
        if let (Some(together), Some(agents)) = (self.together.as_mut().filter(|together| !together.deals()), &policies)
        {
            together.agree(&agents.iter().map(Policy::hash).collect::<String>(), updates)?;
        }
        for (agent, policy) in policies.iter().flatten().enumerate() {
            let (config, layout) = (&policy.config, &self.learning.layout);
            let checked = fault::check_parameters(policy.parameters(), config, config.seed, updates, layout);
            self.forgiven(agent, checked)?;
        }
        let evaluation = outcomes.zip(policies.as_ref());
        let evaluation = evaluation.map(|(returns, agents)| returns.into_iter().zip(agents.iter().cloned()).collect());
        // the first rank has all of it
        let state = self.keeps.zip(policies.as_ref()).map(|(ring, agents)| {
            let words = self.learning.kept(ring).enumerate().map(|(n, kept)| {
                let own: Vec<u32> = arrived.take(first_parameters + networks + n);
                let whole = self.together.as_ref().map(|together| together.whole(kept, &own)).transpose()?;
                Ok((kept.name.clone(), whole.unwrap_or(own)))
            });
            let words = words.collect::<Result<Vec<_>>>()?;
            let hash = agents.first().map(Policy::hash).unwrap_or_default();
            Ok(State::new(updates, self.num_updates(), env_steps, hash, ring, words))
        });
        let state = state.transpose()?.filter(|_| self.together.as_ref().is_none_or(Together::leads));
        let fallen = self.fallen.clone().unwrap_or_default();
        Ok(Some(Report { metrics, updates, env_steps, evaluation, policies, state, fallen, watched }))
    }
}

impl Iterator for Trainer {
    type Item = Result<Report>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.report().transpose();
        if let Some(Err(error)) = &item {
            self.end();
            if let Some(together) = &mut self.together {
                // what is wrong with numbers all ranks see at the same place; a device, or a rank, is lost for one alone
                let numbers =
                    matches!(error, Error::NotFinite { .. } | Error::EpisodeNotFinite { .. } | Error::LoopCut { .. });
                if numbers { together.end() } else { together.fall_silent() }
            }
        }
        item
    }
}
