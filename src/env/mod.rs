//! An environment is one WGSL file: what it declares, and the code that is generated for its state.

mod allowed;
mod catalogue;
mod contract;
mod exploration;
mod fixed;
mod limits;
mod names;
mod pixels;
mod remarks;
mod scan;
mod space;
mod state;
mod volume;

use catalogue::BUILT_IN;

pub use catalogue::Family;
pub(crate) use exploration::UNBOUNDED;
pub use exploration::{Deviation, Exploration, LEAST_REACHED, MOST_CLIPPED, Misfit, StateDependent};
pub use remarks::Remark;
pub use space::ActionSpace;
pub use state::Field;

use crate::error::{Error, Result, did_you_mean, shown};
use crate::file;
use crate::layout::{self, ACCUMULATOR_VECTORS, STRUCTS, WorldWord};
use crate::shader::{Constants, Edit, Program, built_in, built_in_text, carefully};
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

/// Parts that every kernel with an environment is linked with, besides the environment itself.
const PARTS: &[&str] = &[
    "part/math.wgsl",
    "part/random_words.wgsl",
    "part/random.wgsl",
    "part/spin.wgsl",
    "part/sound.wgsl",
    "part/contract.wgsl",
];

/// Parts that only kernels with a picture are linked with.
const PICTURE_PARTS: &[&str] = &["part/picture.wgsl", "part/pixel.wgsl"];

/// Turns that the loops of an environment may make in a step, in a reset, in a mask, in a look, and for a pixel.
const SPINS: u32 = 256;

/// An environment that has been read and checked against the contract.
///
/// ```
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::Environment;
///
/// let mut env = Environment::load("CartPole-v1")?; // or the path of a .wgsl file
/// env.set("gravity", 3.7)?;
/// assert_eq!(env.spec().observation_dim, 4);
/// assert_eq!(env.spec().max_episode_steps, 500);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Environment {
    name: String,
    path: String,
    text: String,
    spec: Spec,
    state: state::StateLayout,
    overrides: Vec<Override>,
    /// Names and values of those in the file.
    defaults: Vec<(String, f64)>,
    /// Slot `bounds`, where actions are real numbers.
    bounds: Option<&'static str>,
    /// Whether the environment makes its observation number by number.
    features: bool,
    /// What the linker changes in the file: guards of loops, and overrides that are constants by then.
    edits: Vec<Edit>,
    /// The same for kernels that draw its worlds, which nothing is left out of; none where it has no picture.
    picture_edits: Option<Vec<Edit>>,
    /// Its loops, as the guards number them.
    loops: Vec<Loop>,
    /// Whether one of them is not the picture's.
    has_loops: bool,
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
    kind: naga::ScalarKind,
    /// Whether it is linked as a constant, since the environment's shape follows from it.
    fixed: bool,
}

impl Environment {
    /// A built-in environment by name, or one from a file if `name` ends in `.wgsl`.
    ///
    /// # Errors
    /// [`Error::Environment`] or [`Error::EnvironmentFile`] with what was expected and, in a file, where.
    pub fn load(name: &str) -> Result<Self> {
        if Self::is_file_name(name) {
            return Self::from_file(Path::new(name));
        }
        let Some(known) = BUILT_IN.iter().find(|known| known.name == name) else {
            return Err(Self::unknown(name));
        };
        let path = known.path;
        Self::from_source(name, &format!("shaders/{path}"), built_in_text(path).unwrap_or_default())
    }

    /// The error of a name that is none.
    fn unknown(name: &str) -> Error {
        let file = format!("{name}.wgsl");
        let reason = if !name.is_empty() && Path::new(&file).is_file() {
            format!("there is no such environment; did you mean the file '{file}'?")
        } else if Path::new(name).is_dir() {
            "it is a directory, not an environment; name a built-in one (`manyworlds envs` lists them) or a .wgsl file"
                .to_owned()
        } else {
            let near = did_you_mean(name, Self::names());
            format!(
                "there is no such environment{near} `manyworlds envs` lists the built-in ones; a path to a .wgsl file is one too"
            )
        };
        Error::Environment { name: name.to_owned(), reason }
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
        let name = path.display().to_string();
        Self::from_source(&name, &name, &Self::read_text(path)?)
    }

    /// The text of such a file, read within its bound and nothing more: for programs that try a stranger's file out first.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Environment`] where it is no text.
    pub fn read_text(path: &Path) -> Result<String> {
        String::from_utf8(file::read(path, scan::LONGEST as u64)?).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
            let reason = format!("line {line} is no text; an environment is a WGSL file in UTF-8");
            Error::Environment { name: path.display().to_string(), reason }
        })
    }

    /// Whether a name is that of a file, and not of a built-in environment.
    pub fn is_file_name(name: &str) -> bool {
        Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wgsl"))
    }

    /// Names of the built-in environments.
    pub fn names() -> impl Iterator<Item = &'static str> {
        debug_assert!(BUILT_IN.iter().all(|known| built_in().any(|path| path == known.path)));
        BUILT_IN.iter().map(|known| known.name)
    }

    /// An environment from WGSL text; `path` is what errors are reported under.
    ///
    /// # Errors
    /// Those of [`Environment::load`].
    pub fn from_source(name: &str, path: &str, text: &str) -> Result<Self> {
        let what = format!("environment '{}'", shown(name));
        carefully(&what, || Self::read(name, path, text, &[])).map_err(|error| match error {
            // whatever does not link here is the author's, and has its place
            Error::Shader(text) => Error::EnvironmentFile(text),
            other => other,
        })
    }

    /// Reads an environment; `values` are those of overrides that its shape follows from.
    fn read(name: &str, path: &str, text: &str, values: &[(String, f64)]) -> Result<Self> {
        let file = scan::File::new(path, text)?;
        file.check_nesting()?;
        file.check(name)?;
        // what the rest is linked with follows from the contract's constants, so these are read alone first
        let fixed = file.fixed();
        let wanted: Vec<&str> =
            contract::CONSTANTS.into_iter().chain(fixed.iter().map(|found| found.name.as_str())).collect();
        let constants = |edits: &[Edit]| Program::new(name).source_with(path, &file.constants(&wanted), edits).link();
        // sizes are looked at with the values that they will have, and before naga makes anything of them
        let check_volume = |edits: &[Edit]| scan::File::new(path, &fixed::edited(text, edits))?.check_volume();
        let mut edits = file.fixing(&fixed, &[]);
        check_volume(&edits)?;
        let mut linked = constants(&edits)?;
        fixed.iter().try_for_each(|found| file.single(&linked, &found.name).map(|_| ()))?;
        if !values.is_empty() {
            edits = file.fixing(&fixed, &file.written(&linked, values)?);
            check_volume(&edits)?;
            linked = constants(&edits)?;
        }
        let constants = linked;
        let spec = file.spec(&constants)?;
        let bounds = match spec.action_space {
            ActionSpace::Box { .. } if file.same_bounds(&constants)? => Some("slot/bounds/same.wgsl"),
            ActionSpace::Box { .. } => Some("slot/bounds/each.wgsl"),
            _ => None,
        };
        edits.extend(file.guards());
        edits.sort_by_key(|edit| edit.at);
        let program = Program::new(name).constants(&layout::constants()).constants(&spec.action_space.constants());
        let program = program.word("MW_SPINS", SPINS).parts(PARTS)?;
        let program = program.part(spec.action_space.action_part())?.parts(bounds.as_slice())?;
        let draws = file.draws();
        let program = if draws { program.structs(STRUCTS).parts(PICTURE_PARTS)? } else { program };
        let program = program.source_with(path, text, &edits);
        let linked = program.link_checked(|module, text| file.check_allowed(module, text))?;
        file.check_functions(&linked, &spec)?;
        file.check_memory(&linked)?;
        let overrides = file.overrides(&fixed, &constants, &linked, values)?;
        let defaults = overrides.iter().map(|known| (known.name.clone(), known.value)).collect();
        let state = state::StateLayout::of(linked.module()).map_err(|reason| file.complaint("State", &reason))?;
        let (name, path, text) = (name.to_owned(), path.to_owned(), text.to_owned());
        let (features, loops) = (file.has_features(), file.places_of_loops());
        let pictures: Vec<Range<usize>> = file.for_pictures().iter().map(|found| found.range.clone()).collect();
        let of_pictures = |at: usize| pictures.iter().any(|range| range.contains(&at));
        let has_loops = file.loops.iter().any(|&(keyword, _)| !of_pictures(keyword));
        let picture_edits = draws.then(|| edits.clone());
        edits.retain(|edit| !of_pictures(edit.at));
        let left_out = |range: &Range<usize>| Edit { at: range.start, removed: range.len(), text: Cow::Borrowed("") };
        edits.extend(pictures.iter().map(left_out));
        edits.sort_by_key(|edit| edit.at);
        Ok(Self {
            name,
            path,
            text,
            spec,
            state,
            overrides,
            defaults,
            bounds,
            features,
            edits,
            picture_edits,
            loops,
            has_loops,
        })
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
        BUILT_IN.iter().any(|known| known.name == self.name && built_in_text(known.path) == Some(self.text.as_str()))
    }

    /// What it is, from the first line of its header: what follows the name.
    pub fn about(&self) -> Option<String> {
        let line = self.text.lines().next()?.strip_prefix("//!")?;
        Some(line.split_once(':').map_or(line, |(_, about)| about).trim().to_owned())
    }

    /// Its header, the lines that begin with `//!`: rules, observation, actions, source.
    pub fn header(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
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
        let same = |known: &Override| {
            self.defaults.iter().any(|(name, value)| *name == known.name && value.to_bits() == known.value.to_bits())
        };
        self.overrides.iter().filter(move |known| !same(known))
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

    /// Whether its functions loop, but for its picture's; each of them then counts as 256 iterations of the loop budget of software adapters.
    pub fn has_loops(&self) -> bool {
        self.has_loops
    }

    /// Whether it says how its worlds look (`env_pixel`).
    pub fn draws(&self) -> bool {
        self.picture_edits.is_some()
    }

    /// Loop iterations of a pixel at most.
    pub(crate) fn pixel_iterations(&self) -> u64 {
        if self.draws() && !self.loops.is_empty() { u64::from(SPINS) } else { 0 }
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

    /// Sets an override, or the step limit, `MAX_EPISODE_STEPS`, which is the engine's to apply and can be set in every
    /// environment; 0 = none.
    ///
    /// # Errors
    /// Those of [`Environment::set_all`].
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        self.set_all([(name, value)])
    }

    /// Sets overrides together. Where spaces, the step limit or sizes follow from one, the file is read again, and
    /// [`Environment::spec`] is another afterwards.
    ///
    /// # Errors
    /// [`Error::Environment`] with the nearest name where there is none of a name, or where a value is not one of its type;
    /// [`Error::EnvironmentFile`] where no environment follows from these values. It stays as it was then.
    pub fn set_all<'a>(&mut self, values: impl IntoIterator<Item = (&'a str, f64)>) -> Result<()> {
        let complain = |reason| Err(Error::Environment { name: self.name.clone(), reason });
        let mut overrides = self.overrides.clone();
        let mut again = false;
        for (name, value) in values {
            if name == fixed::LIMIT && !overrides.iter().any(|known| known.name == name) {
                let (name, kind) = (name.to_owned(), naga::ScalarKind::Uint);
                overrides.push(Override { name, value, kind, fixed: true });
            }
            let Some(found) = overrides.iter_mut().find(|known| known.name == name) else {
                let names = || overrides.iter().map(|known| known.name.as_str()).chain([fixed::LIMIT]);
                let (near, all) = (did_you_mean(name, names()), names().collect::<Vec<_>>().join(", "));
                return complain(format!("there is no override '{name}'{near} there are: {all}"));
            };
            if let Some(reason) = found.refuses(value) {
                return complain(reason);
            }
            found.value = value;
            again |= found.fixed;
        }
        if again {
            let fixed = overrides.iter().filter(|known| known.fixed);
            let fixed: Vec<(String, f64)> = fixed.map(|known| (known.name.clone(), known.value)).collect();
            let what = format!("environment '{}'", shown(&self.name));
            let read = carefully(&what, || Self::read(&self.name, &self.path, &self.text, &fixed));
            let read = read.map_err(|error| match error {
                Error::Shader(text) => {
                    let list: Vec<String> = fixed.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                    Error::EnvironmentFile(format!("{text}\n  = note: this is with {}", list.join(", ")))
                }
                other => other,
            })?;
            *self = Self { defaults: std::mem::take(&mut self.defaults), ..read };
        }
        for known in &mut self.overrides {
            if let Some(set) = overrides.iter().find(|set| set.name == known.name) {
                known.value = set.value;
            }
        }
        Ok(())
    }

    /// Adds the environment, what it is given, and the load and store of its state to a kernel.
    ///
    /// # Errors
    /// Never, unless a part of ours is missing.
    pub fn link_into(&self, program: Program) -> Result<Program> {
        self.link(program, &self.edits)
    }

    /// The same with its picture and what pictures are given, for kernels that draw worlds.
    ///
    /// # Errors
    /// Never, unless a part of ours is missing.
    pub(crate) fn link_picture_into(&self, program: Program) -> Result<Program> {
        let edits = self.picture_edits.as_deref().unwrap_or(&self.edits);
        self.link(program.parts(PICTURE_PARTS)?, edits)
    }

    fn link(&self, program: Program, edits: &[Edit]) -> Result<Program> {
        let mut constants = Constants::default();
        constants.word("MW_OBSERVATIONS", self.spec.observation_dim);
        constants.word("MW_SPINS", SPINS);
        constants.word("MW_STATE_VECTORS", self.state.vectors());
        constants.word("MW_WORLD_VECTORS", self.state.vectors() + ACCUMULATOR_VECTORS);
        let program = if self.is_built_in() { program } else { program.foreign(&self.name) };
        let mut program = program
            .constants(&self.spec.action_space.constants())
            .constants(&constants)
            .parts(PARTS)?
            .part(self.spec.action_space.action_part())?
            .parts(self.bounds.as_slice())?
            .source_with(&self.path, &self.text, edits)
            .source(&format!("state of {}", self.name), &self.state.code())
            .parts(&[
                if self.features { "slot/look/feature.wgsl" } else { "slot/look/array.wgsl" },
                "part/sum.wgsl",
                "part/world.wgsl",
            ])?;
        for known in self.overrides.iter().filter(|known| !known.fixed) {
            program = program.set(&known.name, known.value);
        }
        Ok(program)
    }

    /// Which of a world's words this is; [`world_word`] says where it lies.
    pub fn word(&self, word: WorldWord) -> usize {
        4 * self.state.vectors() as usize + word as usize
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

/// Largest step limit: an evaluation is recorded ahead, some hundred steps in a pass.
const LONGEST_EPISODE: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::Environment;
    use crate::error::Error;

    /// An environment with nothing in it.
    pub(super) const SMALL: &str = "\
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 10u;
struct State { x: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).x += 1.0;
    return Outcome(1.0, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.x); }
";

    /// Reads a text that must be refused with these words, by name and in one of the ways that are the author's.
    pub(super) fn refused(case: &str, text: &str, words: &str) {
        let error = Environment::from_source("small.wgsl", "small.wgsl", text).expect_err(case);
        let shown = error.to_string();
        assert!(shown.contains(words) && shown.contains("small.wgsl"), "{case}: '{words}' expected in {shown}");
        assert!(matches!(error, Error::Environment { .. } | Error::EnvironmentFile(_)), "{case}: {error:?}");
        assert_eq!(error.exit_code(), 2, "{case}");
    }

    #[test]
    fn texts_that_are_no_environments_are_refused() {
        let large = SMALL.replace("x: f32", "x: f32, y: array<array<f32, 100>, 100>");
        let large = large.replace("return State(rng_uniform(rng));", "var s: State; return s;");
        let crlf = SMALL.replace('\n', "\r\n");
        Environment::from_source("small", "small.wgsl", &crlf).expect("Windows ends lines in its own way");
        for (case, text, words) in [
            ("nothing", String::new(), "lacks `const ACTION_COUNT"),
            ("comments", "// nothing\n/* at /* all */ */".to_owned(), "lacks `const ACTION_COUNT"),
            ("a comment without an end", format!("{SMALL}/* and /* so */"), "this comment has no end"),
            ("a byte order mark", format!("\u{feff}{SMALL}"), "byte order mark"),
            ("zeros", format!("{SMALL}\0"), "line 11 is no text"),
            ("no observation", SMALL.replace("DIM: u32 = 1u", "DIM: u32 = 0u"), "0 is not allowed"),
            ("observations", SMALL.replace("DIM: u32 = 1u", "DIM: u32 = 4000000000u"), "4000000000 is not allowed"),
            ("no action", SMALL.replace("COUNT: u32 = 2u", "COUNT: u32 = 0u"), "0 is not allowed"),
            ("actions", SMALL.replace("COUNT: u32 = 2u", "COUNT: u32 = 4294967295u"), "4294967295 is not allowed"),
            ("below 0", SMALL.replace("COUNT: u32 = 2u", "COUNT: i32 = -2"), "it must be a u32"),
            ("steps", SMALL.replace("STEPS: u32 = 10u", "STEPS: u32 = 4294967295u"), "4294967295 is not allowed"),
            ("past a u32", SMALL.replace("STEPS: u32 = 10u", "STEPS: u32 = 4294967296"), "small.wgsl"),
            ("a state without end", large, "and it has more"),
        ] {
            refused(case, &text, words);
        }
    }

    #[test]
    fn an_override_takes_what_its_type_can_hold() {
        let text = format!(
            "{SMALL}override n: u32 = 4u; override k: i32 = -1; override b: bool = true; override f: f32 = 1.5;"
        );
        let mut env = Environment::from_source("small", "small.wgsl", &text).expect("an environment");
        for (name, value) in [("n", 4_294_967_295.0), ("k", -2_147_483_648.0), ("b", 0.0), ("f", -1e38)] {
            env.set(name, value).expect(name);
        }
        for (name, value) in [
            ("n", -1.0),
            ("n", 0.5),
            ("n", 4_294_967_296.0),
            ("k", 2_147_483_648.0),
            ("k", 1.5),
            ("b", 2.0),
            ("f", f64::NAN),
            ("f", f64::INFINITY),
            ("f", 1e39),
            ("n", f64::NAN),
        ] {
            let error = env.set(name, value).expect_err("refused").to_string();
            assert!(error.contains(&format!("'{name}' must be")) && error.contains(&format!("not {value}")), "{error}");
        }
    }

    #[test]
    fn a_thread_with_a_small_stack_reads_what_nests_deeply() {
        let sum = ["x"; 1000].join("+");
        let brackets = format!("{}x{}", "(1.0+".repeat(60), ")".repeat(60));
        let signs = format!("{}x", "- ".repeat(1500));
        let chain = format!("if x > 0.0 {{ }} {}", "else if x > 1.0 { } ".repeat(60));
        let blocks = format!("{}{}", "{".repeat(60), "}".repeat(60));
        let code = format!("var x = (*s).x; x = {sum}; x = {brackets}; x = {signs}; {chain} {blocks} (*s).x = x;");
        let text = SMALL.replace("(*s).x += 1.0;", &code);
        let read = move || Environment::from_source("deep", "deep.wgsl", &text).map(|env| env.state_words());
        let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(read).expect("a thread");
        assert_eq!(thread.join().expect("no overflow").expect("an environment"), 1);
    }
}
