//! An environment is one WGSL file: what it declares, and the code that is generated for its state.

mod contract;
mod exploration;
mod limits;
mod scan;
mod space;
mod state;

pub use exploration::{Exploration, Spread, StateDependent};
pub use space::ActionSpace;
pub use state::Field;

use crate::error::{Error, Result};
use crate::layout::{self, ACCUMULATOR_VECTORS};
use crate::shader::{Constants, Linked, Program, built_in, built_in_text};
use std::path::Path;

/// Environments that are built in: name, and file under `shaders/`.
const BUILT_IN: &[(&str, &str)] = &[
    ("CartPole-v1", "env/cartpole.wgsl"),
    ("MountainCar-v0", "env/mountain_car.wgsl"),
    ("MountainCarContinuous-v0", "env/mountain_car_continuous.wgsl"),
    ("Pendulum-v1", "env/pendulum.wgsl"),
    ("Acrobot-v1", "env/acrobot.wgsl"),
    ("SimpleRegulator", "env/simple_regulator.wgsl"),
    ("TwoAction", "env/two_action.wgsl"),
    ("LQR", "env/lqr.wgsl"),
    ("HexWorld", "env/hex_world.wgsl"),
    ("Bandit", "env/bandit.wgsl"),
    ("DeepSea", "env/deep_sea.wgsl"),
    ("Catch", "env/catch.wgsl"),
    ("ProbeValue", "env/probe_value.wgsl"),
    ("ProbeBackward", "env/probe_backward.wgsl"),
    ("ProbeDiscount", "env/probe_discount.wgsl"),
    ("ProbePolicy", "env/probe_policy.wgsl"),
    ("ProbePolicyObservation", "env/probe_policy_observation.wgsl"),
    ("ProbeTruncation", "env/probe_truncation.wgsl"),
    ("ProbeReset", "env/probe_reset.wgsl"),
    ("ProbeDelay", "env/probe_delay.wgsl"),
    ("QuadrotorHover", "env/quadrotor_hover.wgsl"),
    ("QuadrotorWaypoint", "env/quadrotor_waypoint.wgsl"),
    ("Breakout", "env/breakout.wgsl"),
    ("SpaceInvaders", "env/space_invaders.wgsl"),
];

/// Parts that every kernel with an environment is linked with, besides the environment itself.
const PARTS: &[&str] = &[
    "part/math.wgsl",
    "part/random_words.wgsl",
    "part/random.wgsl",
    "part/spin.wgsl",
    "part/sound.wgsl",
    "part/contract.wgsl",
];

/// Turns that the loops of an environment may make in a step, in a reset, in a mask, and in a look.
const SPINS: u32 = 256;

/// An environment that has been read and checked against the contract.
#[derive(Clone, Debug)]
pub struct Environment {
    name: String,
    path: String,
    text: String,
    spec: Spec,
    state: state::StateLayout,
    overrides: Vec<Override>,
    /// Their values in the file.
    defaults: Vec<f64>,
    /// Slot `bounds`, where actions are real numbers.
    bounds: Option<&'static str>,
    /// Whether the environment makes its observation number by number.
    features: bool,
    /// What the linker puts into the file, and where.
    guards: Vec<(usize, String)>,
    /// Its loops, as the guards number them.
    loops: Vec<Loop>,
}

/// What an environment declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Numbers in an observation.
    pub observation_dim: u32,
    /// What the agent may do.
    pub action_space: ActionSpace,
    /// Steps after which the engine truncates an episode; 0 = never.
    pub max_episode_steps: u32,
    /// Mean return from which on the environment counts as solved.
    pub reward_threshold: Option<f32>,
}

/// Where a loop stands in the file of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loop {
    /// The function.
    pub function: String,
    /// The line of its keyword, from 1.
    pub line: u32,
}

/// A constant of an environment that can be changed without a rebuild.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Its name in the file.
    pub name: String,
    /// Its value: the file's, or the one that was set.
    pub value: f64,
}

impl Environment {
    /// A built-in environment by name, or one from a file if `name` ends in `.wgsl`.
    ///
    /// # Errors
    /// [`Error::Environment`] or [`Error::EnvironmentFile`] with what was expected and, in a file, where.
    pub fn load(name: &str) -> Result<Self> {
        if Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wgsl")) {
            return Self::from_file(Path::new(name));
        }
        let Some((_, path)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = Self::names().collect();
            let near =
                names.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
            return Err(Error::Environment {
                name: name.to_owned(),
                reason: format!(
                    "there is no such environment; did you mean '{}'? Built in: {}; a path to a .wgsl file is one too",
                    near.copied().unwrap_or_default(),
                    names.join(", ")
                ),
            });
        };
        Self::from_source(name, &format!("shaders/{path}"), built_in_text(path).unwrap_or_default())
    }

    /// An environment from a WGSL file. The file is read as one from a stranger: its size, nesting and memory are bounded,
    /// and its loops
    /// are left after 256 turns.
    ///
    /// What it cannot promise is that the driver's compiler comes to an end with it; the command line tries that out in a
    /// process of its own first.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, else as [`Environment::load`].
    pub fn from_file(path: &Path) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::file("read", path, error);
        let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
        let name = path.display().to_string();
        if size > scan::LONGEST as u64 {
            let reason = format!("the file has {size} bytes; an environment may have {}", scan::LONGEST);
            return Err(Error::Environment { name, reason });
        }
        let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
            let reason = format!("line {line} is no text; an environment is a WGSL file in UTF-8");
            Error::Environment { name: name.clone(), reason }
        })?;
        Self::from_source(&name, &name, &text)
    }

    /// Names of the built-in environments.
    pub fn names() -> impl Iterator<Item = &'static str> {
        debug_assert!(BUILT_IN.iter().all(|(_, path)| built_in().any(|known| known == *path)));
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// An environment from WGSL text; `path` is what errors are reported under.
    ///
    /// # Errors
    /// As [`Environment::load`].
    pub fn from_source(name: &str, path: &str, text: &str) -> Result<Self> {
        limits::with_large_stack(|| Self::read(name, path, text)).map_err(|error| match error {
            // whatever does not link here is the author's, and has its place
            Error::Shader(text) => Error::EnvironmentFile(text),
            other => other,
        })
    }

    fn read(name: &str, path: &str, text: &str) -> Result<Self> {
        let file = scan::File::new(path, text)?;
        file.check_nesting()?;
        file.check(name)?;
        // what the rest is linked with follows from the contract's constants, so these are read alone first
        let constants = Program::new(name).source(path, &file.constants(&contract::CONSTANTS)).link()?;
        let spec = file.spec(&constants)?;
        let bounds = match spec.action_space {
            ActionSpace::Box { .. } if file.same_bounds(&constants)? => Some("slot/bounds/same.wgsl"),
            ActionSpace::Box { .. } => Some("slot/bounds/each.wgsl"),
            _ => None,
        };
        let (guards, loops) = (file.guarded(), file.places_of_loops());
        let program = Program::new(name).constants(&layout::constants()).constants(&spec.action_space.constants());
        let program = program.word("MW_SPINS", SPINS).parts(PARTS)?;
        let program = program.part(spec.action_space.action_part())?.parts(bounds.as_slice())?;
        let linked = program.source_with(path, text, &guards).link()?;
        file.check_functions(&linked, &spec)?;
        file.check_memory(&linked)?;
        let overrides = overrides(&linked);
        let defaults = overrides.iter().map(|known| known.value).collect();
        let state = state::StateLayout::of(linked.module()).map_err(|reason| file.complaint("State", &reason))?;
        let (name, path, text) = (name.to_owned(), path.to_owned(), text.to_owned());
        let features = file.has_features();
        Ok(Self { name, path, text, spec, state, overrides, defaults, bounds, features, guards, loops })
    }

    /// The environment's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its file is called in errors.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is one of those that are built in.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.iter().any(|(name, path)| *name == self.name && built_in_text(path) == Some(self.text.as_str()))
    }

    /// What it is, from the first line of its header: what follows the name.
    pub fn about(&self) -> Option<String> {
        let line = self.text.lines().next()?.strip_prefix("//!")?;
        Some(line.split_once(':').map_or(line, |(_, about)| about).trim().to_owned())
    }

    /// Where it comes from: the text behind `Source:` in its header, up to the next blank line.
    pub fn source(&self) -> Option<String> {
        let mut lines = self.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let first = lines.find_map(|line| line.strip_prefix("Source:"))?.trim().to_owned();
        let rest = lines.take_while(|line| !line.is_empty());
        let all = rest.fold(first, |all, line| if all.ends_with(['.', ';']) { all } else { format!("{all} {line}") });
        Some(all)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it declares.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Its overrides with their values.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// Those that have other values than in the file.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Override> {
        self.overrides
            .iter()
            .zip(&self.defaults)
            .filter(|(known, value)| known.value.to_bits() != value.to_bits())
            .map(|(known, _)| known)
    }

    /// Words of the state of one world.
    pub fn state_words(&self) -> u32 {
        self.state.words()
    }

    /// Whether it makes its observation number by number (`env_feature`).
    pub(crate) fn has_features(&self) -> bool {
        self.features
    }

    /// Slot `keep`, for kernels that store observations.
    pub(crate) fn keep_part(&self) -> &'static str {
        if self.features { "slot/keep/feature.wgsl" } else { "slot/keep/array.wgsl" }
    }

    /// The words of the state of one world: the scalars of `State`, in order.
    pub fn state_fields(&self) -> &[Field] {
        self.state.fields()
    }

    /// Loop iterations of a step of one world at most: its own, those of a reset, of a mask, and of two looks.
    pub(crate) fn iterations(&self) -> u64 {
        let looks = if self.features { 2 * u64::from(self.spec.observation_dim) } else { 2 };
        let masks = u64::from(self.spec.action_space.mask_words());
        let own = if self.has_loops() { u64::from(SPINS) * (2 + masks + looks) } else { 0 };
        own + if self.features { looks } else { 0 }
    }

    /// Whether its functions loop; each of them then counts as 256 iterations of the loop budget of software adapters.
    pub fn has_loops(&self) -> bool {
        !self.guards.is_empty()
    }

    /// A loop of its file; they count from 1, in the order of their bodies.
    pub fn loop_place(&self, number: u32) -> Option<&Loop> {
        self.loops.get((number as usize).checked_sub(1)?)
    }

    /// The error of one of them having been left after 256 turns.
    pub(crate) fn loop_cut(&self, number: u32) -> Error {
        let place = self.loop_place(number).cloned().unwrap_or_default();
        Error::LoopCut { env: self.name.clone(), function: place.function, line: place.line, turns: SPINS }
    }

    /// Sets an override.
    ///
    /// # Errors
    /// [`Error::Environment`] with the nearest name where there is none of this name, or where the value is no number.
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let complain = |reason| Error::Environment { name: self.name.clone(), reason };
        if !(value as f32).is_finite() {
            return Err(complain(format!("'{name}' must be a finite number that f32 can hold, not {value}")));
        }
        match self.overrides.iter_mut().find(|known| known.name == name) {
            Some(found) => found.value = value,
            None => {
                let near = self
                    .overrides
                    .iter()
                    .max_by(|a, b| strsim::jaro_winkler(&a.name, name).total_cmp(&strsim::jaro_winkler(&b.name, name)));
                let hint = near.map_or("it has none".to_owned(), |near| format!("did you mean '{}'?", near.name));
                return Err(complain(format!("there is no override '{name}'; {hint}")));
            }
        }
        Ok(())
    }

    /// Adds the environment, what it is given, and the load and store of its state to a kernel.
    ///
    /// # Errors
    /// Never, unless a part of ours is missing.
    pub fn link_into(&self, program: Program) -> Result<Program> {
        let mut constants = Constants::default();
        constants.word("MW_OBSERVATIONS", self.spec.observation_dim);
        constants.word("MW_SPINS", SPINS);
        constants.word("MW_STATE_VECTORS", self.state.vectors());
        constants.word("MW_WORLD_VECTORS", self.state.vectors() + ACCUMULATOR_VECTORS);
        let mut program = program
            .constants(&self.spec.action_space.constants())
            .constants(&constants)
            .parts(PARTS)?
            .part(self.spec.action_space.action_part())?
            .parts(self.bounds.as_slice())?
            .source_with(&self.path, &self.text, &self.guards)
            .source(&format!("state of {}", self.name), &self.state.code())
            .parts(&[
                if self.features { "slot/look/feature.wgsl" } else { "slot/look/array.wgsl" },
                "part/world.wgsl",
            ])?;
        for known in &self.overrides {
            program = program.set(&known.name, known.value);
        }
        Ok(program)
    }

    /// The first word of a world's fault (`part/sound.wgsl`).
    pub(crate) fn fault_word(&self) -> usize {
        4 * self.state.vectors() as usize
    }

    /// Words of one world: its state, padded to vec4s, then the accumulators of `part/world.wgsl`.
    pub fn world_words(&self) -> u32 {
        4 * (self.state.vectors() + ACCUMULATOR_VECTORS)
    }
}

/// Where a word of a world lies in the buffer of so many worlds, `[word / 4][world][word % 4]`.
pub fn world_word(word: usize, world: usize, worlds: usize) -> usize {
    (word / 4 * worlds + world) * 4 + word % 4
}

/// Largest observation and largest number of actions.
const LARGEST_SPACE: u32 = 4096;

/// Largest step limit: an evaluation is recorded ahead, some hundred steps in a pass.
const LONGEST_EPISODE: u32 = 1_000_000;

fn overrides(linked: &Linked) -> Vec<Override> {
    let module = linked.module();
    let default = |init: Option<naga::Handle<naga::Expression>>| match init.map(|init| &module.global_expressions[init])
    {
        Some(naga::Expression::Literal(literal)) => contract::number(*literal),
        _ => None,
    };
    let named = module.overrides.iter().filter_map(|(_, o)| Some((o.name.clone()?, default(o.init)?)));
    named.map(|(name, value)| Override { name, value }).collect()
}
