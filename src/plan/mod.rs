//! A run before there is a device for it: buffers with axes, kernels, and passes over them, as data.

mod build;
mod description;
mod split;
mod target;

pub use description::{
    BufferDescription, Description, KernelDescription, PassDescription, RecordingDescription, Run, Totals,
};
pub use split::Split;
pub use target::Target;

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Memory, Pass, Recording, bytes_of};
use crate::shader::Program;
use bytemuck::Pod;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What is to be made on a device, in the order in which it was asked for.
///
/// Whoever asks gets a [`Buffer`] or a [`Pass`] at once, and may bind and record it; [`Plan::build`] gives the buffers memory
/// and compiles the kernels. A plan with a [`Target`] of known limits refuses what does not fit as soon as it is asked for.
///
/// ```
/// use manyworlds::plan::{Plan, Target};
///
/// # fn main() -> manyworlds::Result<()> {
/// let mut plan = Plan::new(Target::ANY);
/// plan.buffer::<f32>("observations", &[("features", 4), ("worlds", 1000)], "num_envs")?;
/// assert_eq!(plan.largest(), 16_000);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Plan {
    target: Target,
    buffers: Vec<Planned>,
    kernels: Vec<Program>,
    places: HashMap<[u8; 32], Kernel>,
    passes: Vec<Dispatch>,
    kept: Vec<Kept>,
    largest: u64,
    /// Stands for every pass where none is recorded.
    nothing: Pass,
}

/// A kernel of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(usize);

/// A buffer of a plan.
#[derive(Debug)]
struct Planned {
    memory: Memory,
    axes: Vec<(&'static str, u64)>,
    bytes: u64,
    usage: wgpu::BufferUsages,
    contents: Contents,
}

/// What a buffer holds at first.
enum Contents {
    Zeros,
    Words(Vec<u8>),
    /// Words that take time to make.
    Made(Box<dyn Fn() -> Vec<u8> + Send + Sync>),
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zeros => "Zeros",
            Self::Words(_) => "Words",
            Self::Made(_) => "Made",
        })
    }
}

/// A pass of a plan, and what it is made of.
#[derive(Debug)]
struct Dispatch {
    pass: Pass,
    kernel: Kernel,
    iterations: u64,
    buffers: Buffers,
}

/// A buffer that a run needs to go on.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its name in files of a state.
    pub name: String,
    /// The buffer.
    pub memory: Memory,
    /// Its size.
    pub bytes: u64,
    /// Words of it that hold something: the smallest buffers have some more.
    pub words: usize,
    /// Whether it holds transitions, which a run can make up for and which are kept where that is asked for.
    pub transitions: bool,
    /// Where the worlds are in it, if it holds something of each: several ranks have a share of them each, and the same of all else.
    pub split: Option<Split>,
}

impl Plan {
    /// An empty plan.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            buffers: Vec::new(),
            kernels: Vec::new(),
            places: HashMap::new(),
            passes: Vec::new(),
            kept: Vec::new(),
            largest: 0,
            nothing: Pass::declared("", 0, 0),
        }
    }

    /// What it is planned for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A buffer of zeros with these axes, the slowest first; `remedy` says which settings make it smaller.
    ///
    /// # Errors
    /// [`Error::TooLarge`] with the arithmetic, where the target cannot bind it.
    pub fn buffer<T: Pod>(
        &mut self,
        name: &'static str,
        axes: &[(&'static str, u64)],
        remedy: &'static str,
    ) -> Result<Buffer<T>> {
        self.declare(name, axes, remedy, wgpu::BufferUsages::STORAGE, Contents::Zeros)
    }

    /// A buffer that holds at first what `contents` makes: as many elements as its axes have.
    ///
    /// # Errors
    /// Those of [`Plan::buffer`].
    pub fn filled<T: Pod>(
        &mut self,
        name: &'static str,
        axes: &[(&'static str, u64)],
        remedy: &'static str,
        contents: impl Fn() -> Vec<T> + Send + Sync + 'static,
    ) -> Result<Buffer<T>> {
        let made = Contents::Made(Box::new(move || bytemuck::cast_slice(&contents()).to_vec()));
        self.declare(name, axes, remedy, wgpu::BufferUsages::STORAGE, made)
    }

    /// A buffer of parameters, which kernels may read as a uniform too, and what it holds at first.
    ///
    /// # Errors
    /// Those of [`Plan::buffer`].
    pub fn parameters(
        &mut self,
        name: &'static str,
        axes: &[(&'static str, u64)],
        contents: impl Fn() -> Vec<f32> + Send + Sync + 'static,
    ) -> Result<Buffer<f32>> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
        let made = Contents::Made(Box::new(move || bytemuck::cast_slice(&contents()).to_vec()));
        self.declare(name, axes, "hidden or the number of agents", usage, made)
    }

    /// A uniform with this value.
    pub fn uniform<T: Pod>(&mut self, name: &'static str, value: &T) -> Buffer<T> {
        self.uniforms(name, std::slice::from_ref(value))
    }

    /// A uniform with a list of these values.
    pub fn uniforms<T: Pod>(&mut self, name: &'static str, values: &[T]) -> Buffer<T> {
        let count = values.len() as u64;
        let buffer = Buffer::declared(name, count);
        if self.target.records {
            self.buffers.push(Planned {
                memory: buffer.memory().clone(),
                axes: Vec::new(),
                bytes: bytes_of::<T>(count),
                usage: wgpu::BufferUsages::UNIFORM,
                contents: Contents::Words(bytemuck::cast_slice(values).to_vec()),
            });
        }
        buffer
    }

    fn declare<T: Pod>(
        &mut self,
        name: &'static str,
        axes: &[(&'static str, u64)],
        remedy: &'static str,
        usage: wgpu::BufferUsages,
        contents: Contents,
    ) -> Result<Buffer<T>> {
        let len = axes.iter().fold(1u64, |product, (_, count)| product.saturating_mul(*count));
        let (bytes, limit) = (bytes_of::<T>(len), self.target.largest_binding);
        if bytes > limit {
            let axes = axes.iter().map(|(name, count)| format!("{name} {count}"));
            let arithmetic: Vec<String> = axes.chain([format!("bytes {}", size_of::<T>())]).collect();
            return Err(Error::TooLarge {
                buffer: name.to_owned(),
                arithmetic: arithmetic.join(" × "),
                bytes,
                limit,
                remedy: remedy.to_owned(),
            });
        }
        let buffer = Buffer::declared(name, len);
        let memory = buffer.memory().clone();
        self.largest = self.largest.max(bytes);
        self.buffers.push(Planned { memory, axes: axes.to_vec(), bytes, usage, contents });
        Ok(buffer)
    }

    /// Says that a run needs this buffer to go on, and what files call it.
    pub fn keep<T>(&mut self, name: &str, buffer: &Buffer<T>) {
        self.keep_as(name, buffer, false, None);
    }

    /// The same of a buffer that holds something of every world.
    pub fn keep_worlds<T>(&mut self, name: &str, buffer: &Buffer<T>, split: Split) {
        self.keep_as(name, buffer, false, Some(split));
    }

    /// Says that this buffer holds transitions, which a run goes on with where they were kept.
    pub fn keep_transitions<T>(&mut self, name: &str, buffer: &Buffer<T>, split: Split) {
        self.keep_as(name, buffer, true, Some(split));
    }

    fn keep_as<T>(&mut self, name: &str, buffer: &Buffer<T>, transitions: bool, split: Option<Split>) {
        let bytes = bytes_of::<T>(buffer.len() as u64);
        let (name, memory) = (name.to_owned(), buffer.memory().clone());
        let words = buffer.len() * size_of::<T>() / 4;
        self.kept.push(Kept { name, memory, bytes, words, transitions, split });
    }

    /// The buffers that a run needs to go on, transitions included.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// A kernel of the plan; the same program is the same kernel.
    pub fn kernel(&mut self, program: Program) -> Kernel {
        if !self.target.records {
            return Kernel(0);
        }
        *self.places.entry(program.key()).or_insert_with(|| {
            self.kernels.push(program);
            Kernel(self.kernels.len() - 1)
        })
    }

    /// A dispatch of `threads` threads for each of `agents` agents over buffers, given by the names that the shader knows
    /// them by. Buffers that the kernel does not use are passed over, so one list can serve several kernels. `iterations`
    /// is the number of iterations of all loops in one invocation, counted from static shapes.
    pub fn pass(&mut self, kernel: Kernel, agents: u32, threads: u64, iterations: u64, buffers: &Buffers) -> Pass {
        if !self.target.records {
            return self.nothing.clone();
        }
        let pass = Pass::declared(self.kernels[kernel.0].name(), threads, agents);
        self.passes.push(Dispatch { pass: pass.clone(), kernel, iterations, buffers: buffers.clone() });
        pass
    }

    /// Leaves out all passes that are in none of these recordings, and kernels that no pass is left of: for
    /// measurements, which do not wait for what they do not run. What is left out cannot be run.
    pub fn only(&mut self, recordings: &[&Recording]) {
        let wanted: HashSet<usize> =
            recordings.iter().flat_map(|recording| recording.passes()).map(Pass::identity).collect();
        self.passes.retain(|dispatch| wanted.contains(&dispatch.pass.identity()));
        let used: HashSet<usize> = self.passes.iter().map(|dispatch| dispatch.kernel.0).collect();
        let mut places = HashMap::new();
        let kernels = std::mem::take(&mut self.kernels).into_iter().enumerate();
        self.kernels = kernels
            .filter(|(old, _)| used.contains(old))
            .enumerate()
            .map(|(new, (old, program))| {
                places.insert(old, new);
                program
            })
            .collect();
        for dispatch in &mut self.passes {
            dispatch.kernel = Kernel(places[&dispatch.kernel.0]);
        }
        self.places = (self.kernels.iter().enumerate()).map(|(at, program)| (program.key(), Kernel(at))).collect();
    }

    /// Bytes of its largest buffer.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// Bytes of all of its buffers together.
    pub fn total(&self) -> u64 {
        self.buffers.iter().fold(0, |total, buffer| total.saturating_add(buffer.bytes))
    }

    /// Its kernels, each once.
    pub fn kernels(&self) -> &[Program] {
        &self.kernels
    }
}
