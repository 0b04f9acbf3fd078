//! The kernels of actors and critics that learn from a ring of transitions.

use super::{Gate, Kernels, Optimizer, Passed, Way};
use crate::env::{ActionSpace, Deviation, Environment};
use crate::error::Result;
use crate::shader::{Constants, Program};

/// Links the kernels of actors and critics in one form. Critics are agents of their own: `[agent][critic]` is the leading
/// axis of all that they have.
#[derive(Clone, Copy, Debug)]
pub struct OffPolicyKernels<'a> {
    /// Those of the actors, whose only network is the actor.
    pub actor: Kernels<'a>,
    /// Those of the critics, whose only network is the critic; its agents are all critics.
    pub critic: Kernels<'a>,
    /// Whether targets smooth their deterministic actions with clipped noise.
    pub smoothed: bool,
    /// Critics of an agent.
    pub critics: u32,
    /// How many of them judge the actor's action.
    pub guides: u32,
    /// Whether worlds add an Ornstein-Uhlenbeck process of their own to the actor's action, in place of normal numbers.
    pub process: bool,
}

/// Rows of `mw_drawn` that come first (`part/drawn.wgsl`).
const ROW_RETURN: u32 = 0;
const ROW_DISCOUNT: u32 = 1;
const ROW_BONUS: u32 = 2;
pub(crate) const ROW_LOG_PROB: u32 = 3;
const ROW_TAKEN: u32 = 4;

/// Which observation of a transition a network sees.
#[derive(Clone, Copy)]
enum State {
    Before,
    After,
}

impl OffPolicyKernels<'_> {
    fn space(&self) -> &ActionSpace {
        self.actor.space
    }

    /// Numbers of an observation.
    pub fn features(&self) -> u32 {
        self.actor.parameters.networks()[0].widths()[0]
    }

    /// Numbers of an action as critics see it.
    pub fn acts(&self) -> u32 {
        seen_actions(self.space())
    }

    /// Outputs of the actor.
    pub fn outputs_of_actor(&self) -> u32 {
        self.space().outputs(self.actor.exploration)
    }

    /// First row of the actions that were taken, those at the next observation, and those that the actor chooses.
    pub fn action_rows(&self) -> [u32; 3] {
        [0, 1, 2].map(|n| ROW_TAKEN + n * self.acts())
    }

    /// First row of the noise of the actor's action, and of that at the next observation.
    pub fn noise_rows(&self) -> [u32; 2] {
        [0, 1].map(|n| ROW_TAKEN + 3 * self.acts() + n * self.acts())
    }

    /// Rows of the return over a window, of what the value behind it counts, of the bonus there, and of log π.
    pub fn scalar_rows(&self) -> [u32; 4] {
        [ROW_RETURN, ROW_DISCOUNT, ROW_BONUS, ROW_LOG_PROB]
    }

    /// Rows of a drawn minibatch beside its observations.
    pub fn drawn_rows(&self) -> u32 {
        ROW_TAKEN + 3 * self.acts() + 2 * self.acts()
    }

    /// Rows of a transition beside its observations: words of the action, reward, ending.
    pub fn ring_rows(&self) -> u32 {
        self.space().words() + 2
    }

    /// Words that a world keeps for ring and noise.
    pub fn explorer_words(&self) -> u32 {
        1 + self.processes()
    }

    /// Numbers of the noise that a world keeps from step to step.
    fn processes(&self) -> u32 {
        if self.process { self.acts() } else { 0 }
    }

    /// Rows of what a critic says of an action: Q, and its slopes.
    pub fn slope_rows(&self) -> u32 {
        1 + self.acts()
    }

    fn constants(&self) -> Constants {
        let mut constants = Constants::default();
        let acts = self.acts();
        let words = [
            ("MW_CRITICS", self.critics),
            ("MW_GUIDES", self.guides),
            ("MW_FEATURES", self.features()),
            ("MW_ACTS", acts),
            ("MW_NOISE_CALLS", acts.div_ceil(4)),
            ("MW_ROW_RETURN", ROW_RETURN),
            ("MW_ROW_DISCOUNT", ROW_DISCOUNT),
            ("MW_ROW_BONUS", ROW_BONUS),
            ("MW_ROW_LOG_PROB", ROW_LOG_PROB),
            ("MW_ROW_TAKEN", self.action_rows()[0]),
            ("MW_ROW_NEXT", self.action_rows()[1]),
            ("MW_ROW_CHOSEN", self.action_rows()[2]),
            ("MW_ROW_NOISE", self.noise_rows()[0]),
            ("MW_ROW_NEXT_NOISE", self.noise_rows()[1]),
            ("MW_DRAWN_ROWS", self.drawn_rows()),
            ("MW_TRANSITION_ROWS", self.ring_rows()),
            ("MW_TRANSITION_REWARD", self.space().words()),
            ("MW_TRANSITION_ENDING", self.space().words() + 1),
            ("MW_EXPLORER_WORDS", self.explorer_words()),
            ("MW_PROCESSES", self.processes()),
        ];
        for (name, word) in words {
            constants.word(name, word);
        }
        constants
    }

    /// Slot `explore`: what worlds do with the actor's distribution.
    fn explore_part(&self) -> &'static str {
        match self.actor.exploration.deviation {
            _ if !self.space().is_box() => "slot/explore/chosen.wgsl",
            Deviation::None => "slot/explore/added.wgsl",
            Deviation::Free | Deviation::Clamped { .. } | Deviation::StateDependent(_) => "slot/explore/drawn.wgsl",
        }
    }

    /// Adds the actor's policy, and its actions as functions of noise.
    fn with_policy(&self, program: Program) -> Result<Program> {
        let (exploration, space) = (self.actor.exploration, self.space());
        program
            .parts(&exploration.distribution_parts(space))?
            .parts(&[exploration.bounded_part(space), exploration.pathwise_part(space)])
    }

    /// Slot `seen`.
    fn seen_part(&self) -> &'static str {
        if self.space().is_box() { "slot/seen/numbers.wgsl" } else { "slot/seen/one_hot.wgsl" }
    }

    /// A program that touches neither an environment nor a network.
    fn program(&self, kernels: &Kernels, name: &str) -> Result<Program> {
        Ok(kernels.program(name)?.constants(&self.constants()))
    }

    /// Steps of every world, into the ring.
    ///
    /// # Errors
    /// [`crate::Error::Shader`] where the environment does not link.
    pub fn interact(&self, env: &Environment) -> Result<Program> {
        let program = env.link_into(self.program(&self.actor.short_running(), "interact")?)?;
        self.with_policy(program.word("MW_LANES", 1).word("MW_OUTPUTS", self.outputs_of_actor()))?
            .parts(&["slot/lane/one.wgsl", "part/noise.wgsl", self.seen_part(), "part/exploring.wgsl"])?
            .parts(&[self.explore_part(), "part/explorer.wgsl", env.keep_part(), "interact.wgsl"])
    }

    /// The actor's outputs for what worlds observe.
    pub fn outputs(&self) -> Result<Passed> {
        let sight = |program: Program| program.part("slot/observed/columns.wgsl");
        self.passed(&self.actor, "act", &sight, |program| program.part("slot/head/outputs.wgsl"))
    }

    /// Observations that were written for the worlds alone, into a part of the ring.
    pub fn remember(&self) -> Result<Program> {
        self.program(&self.actor.short_running(), "remember")?.parts(&["part/explorer.wgsl", "remember.wgsl"])
    }

    /// A minibatch of transitions.
    pub fn replay_minibatch(&self) -> Result<Program> {
        self.program(&self.actor.short_running(), "replay minibatch")?
            .parts(&["part/math.wgsl", "part/random_words.wgsl", "part/noise.wgsl", "part/drawn.wgsl"])?
            .parts(&["part/explorer.wgsl", self.seen_part(), "replay_minibatch.wgsl"])
    }

    /// The network of an actor or a critic, forward.
    fn passed(
        &self,
        kernels: &Kernels,
        name: &str,
        sight: &dyn Fn(Program) -> Result<Program>,
        head: impl Fn(Program) -> Result<Program>,
    ) -> Result<Passed> {
        let constants = self.constants();
        let sight = |program: Program| sight(program.constants(&constants));
        kernels.passed(name, 0, Gate::Open, &sight, |program| head(program.constants(&constants)))
    }

    /// A critic's sight of drawn transitions: an observation, and the action that begins in this row.
    fn judging(&self, program: Program, state: State, action_row: u32) -> Result<Program> {
        program
            .constants(&self.constants())
            .word("MW_STATE", state as u32)
            .word("MW_SEEN_ACTION", action_row)
            .parts(&["part/drawn.wgsl", "slot/observed/pairs.wgsl"])
    }

    /// An actor's sight of them. `halves`: slot `halves`.
    fn deciding(&self, program: Program, halves: &str) -> Result<Program> {
        program.constants(&self.constants()).parts(&["part/drawn.wgsl", halves, "slot/observed/states.wgsl"])
    }

    /// The actor's action where transitions begin, the target's where they end: first and second half of the columns.
    pub fn choose(&self) -> Result<Passed> {
        let smoothing = if self.smoothed { "slot/smoothing/clipped.wgsl" } else { "slot/smoothing/none.wgsl" };
        let sight = |program: Program| self.deciding(program, "slot/halves/both.wgsl");
        self.passed(&self.actor, "choose", &sight, |program| {
            let drawn: &[&str] = if self.actor.layered() { &["part/drawn.wgsl", "slot/halves/both.wgsl"] } else { &[] };
            self.with_policy(program.parts(drawn)?)?.parts(&[smoothing, "slot/head/pathwise.wgsl"])
        })
    }

    /// Q of that action, of every target critic.
    pub fn next_value(&self) -> Result<Passed> {
        let sight = |program: Program| self.judging(program, State::After, self.action_rows()[1]);
        self.passed(&self.critic, "next value", &sight, |program| program.part("slot/head/value.wgsl"))
    }

    /// Gradients of the critics' squared temporal differences.
    pub fn critic_gradient(&self) -> Result<Program> {
        let critic = &self.critic;
        let program = critic.backward(self.program(critic, "gradient critic")?, 0, Way::Backward, critic.weights())?;
        self.judging(program, State::Before, self.action_rows()[0])?
            .parts(&["slot/slopes/none.wgsl", "slot/objective/temporal_difference.wgsl"])?
            .parts(critic.gradient_parts())
    }

    /// What critics see of the action that was taken, where they are run layer by layer.
    pub fn critic_sight(&self) -> Result<Option<Program>> {
        let sight = |program: Program| self.judging(program, State::Before, self.action_rows()[0]);
        self.critic.layered().then(|| self.critic.observe_minibatch(0, &sight)).transpose()
    }

    /// Q of the actor's action, and how it changes with it, of the critics that judge it.
    pub fn slopes(&self) -> Result<Program> {
        let critic = &self.critic;
        let program = critic.backward(self.program(critic, "slopes")?, 0, Way::Backward, "slot/weights/none.wgsl")?;
        let slopes = if critic.layered() { "slot/slopes/none.wgsl" } else { "slot/slopes/kept.wgsl" };
        self.judging_choice(program)?.parts(&[slopes, "slot/objective/slope.wgsl"])?.parts(critic.gradient_parts())
    }

    /// The same in three steps, where critics are run layer by layer: what they see, and what is said of outputs and slopes.
    pub fn slopes_sight(&self) -> Result<Option<(Program, Program)>> {
        if !self.critic.layered() {
            return Ok(None);
        }
        let kept = self.critic.slopes(self.program(&self.critic, "put slopes")?, 0, "slot/slopes/kept.wgsl")?;
        let kept = kept.word("MW_AGENT_STEP", self.critics / self.guides);
        Ok(Some((self.critic.observe_minibatch(0, &|program| self.judging_choice(program))?, kept)))
    }

    /// A critic's sight of the actor's action, whose slopes are wanted, of the critics that judge it.
    fn judging_choice(&self, program: Program) -> Result<Program> {
        let program = self.judging(program, State::Before, self.action_rows()[2])?;
        Ok(program
            .word("MW_SLOPES_FROM", self.features())
            .word("MW_LAST_DELTAS", 0)
            .word("MW_AGENT_STEP", self.critics / self.guides))
    }

    /// Gradient of what the critics say of the actor's action.
    pub fn actor_gradient(&self) -> Result<Program> {
        let actor = &self.actor;
        let program = actor.backward(self.program(actor, "gradient actor")?, 0, Way::Backward, actor.weights())?;
        self.with_policy(self.deciding(program, "slot/halves/first.wgsl")?)?
            .parts(&["slot/slopes/none.wgsl", "slot/objective/critic.wgsl"])?
            .parts(actor.gradient_parts())
    }

    /// What the actor sees, where it is run layer by layer.
    pub fn actor_sight(&self) -> Result<Option<Program>> {
        let sight = |program: Program| self.deciding(program, "slot/halves/first.wgsl");
        self.actor.layered().then(|| self.actor.observe_minibatch(0, &sight)).transpose()
    }

    /// Partial weight gradients, where the gradient kernel does not sum them itself; `kernels` are the actor's or the
    /// critic's.
    pub fn weight_gradient(kernels: &Kernels) -> Result<Program> {
        kernels.weight_gradient(0, super::Objective::Value)
    }

    /// New parameters, of the actor or the critics as `kernels` says, and their target. `first`: agents whose places of
    /// unsound numbers lie before theirs.
    pub fn descend_following(kernels: &Kernels, optimizer: Optimizer, first: u32) -> Result<Program> {
        let name = format!("learn {}", kernels.parameters.networks()[0].name());
        kernels.short_running().of_span(kernels.parameters.span([0]), &name)?.word("MW_FAULTS_FIRST", first).parts(&[
            "part/partial.wgsl",
            "part/slices.wgsl",
            optimizer.part(),
            "part/past.wgsl",
            "part/fault_places.wgsl",
            "descend_following.wgsl",
        ])
    }

    /// The end of a gradient step.
    pub fn finish_step(&self) -> Result<Program> {
        self.program(&self.actor, "finish step")?.parts(&[
            "part/math.wgsl",
            "part/drawn.wgsl",
            "slot/element/number.wgsl",
            "part/tree.wgsl",
            "part/scalar.wgsl",
            "finish_step.wgsl",
        ])
    }

    /// The end of an update.
    pub fn finish_block(&self) -> Result<Program> {
        self.program(&self.actor, "finish block")?
            .parts(&["slot/element/sum.wgsl", "part/tree.wgsl", "part/fault.wgsl", "part/verdict.wgsl"])?
            .part("finish_block.wgsl")
    }

    /// The schedules of the update that comes next.
    pub fn schedule_block(&self) -> Result<Program> {
        self.program(&self.actor, "schedule block")?.part("schedule_block.wgsl")
    }
}

/// Numbers of an action as critics see it: its numbers, or one for each choice.
pub(crate) fn seen_actions(space: &ActionSpace) -> u32 {
    if space.is_box() { space.words() } else { space.choices() }
}
