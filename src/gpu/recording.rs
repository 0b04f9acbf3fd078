//! Work as plain data: a list of passes that can be printed, replayed and timed.

use super::exchange::Exchange;
use super::{Gpu, Kernel};
use crate::error::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// One dispatch: (kernel, threads, buffers). Clones share it; one of a plan can be recorded before it can be run.
#[derive(Clone, Debug)]
pub struct Pass(Arc<Dispatch>);

#[derive(Debug)]
struct Dispatch {
    kernel: String,
    threads: u64,
    agents: u32,
    ready: OnceLock<Ready>,
}

/// What a dispatch is encoded from.
#[derive(Debug)]
pub(super) struct Ready {
    pub kernel: Kernel,
    pub bind_group: Option<wgpu::BindGroup>,
    pub groups: [u32; 3],
}

impl Pass {
    /// A dispatch that is made ready later.
    pub(crate) fn declared(kernel: &str, threads: u64, agents: u32) -> Self {
        Self(Arc::new(Dispatch { kernel: kernel.to_owned(), threads, agents, ready: OnceLock::new() }))
    }

    pub(super) fn make_ready(&self, ready: Ready) {
        self.0.ready.get_or_init(|| ready);
    }

    /// Name of its kernel.
    pub fn kernel(&self) -> &str {
        &self.0.kernel
    }

    /// Threads for each agent.
    pub fn threads(&self) -> u64 {
        self.0.threads
    }

    /// Number of agents.
    pub fn agents(&self) -> u32 {
        self.0.agents
    }

    /// A number that no other dispatch has.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    fn ready(&self) -> Result<&Ready> {
        let bug = || Error::Gpu(format!("a pass of kernel {} is of a plan that was not built", self.0.kernel));
        self.0.ready.get().ok_or_else(bug)
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} threads × {} agents", self.0.kernel, self.0.threads, self.0.agents)?;
        match self.0.ready.get() {
            Some(Ready { groups: [x, y, z], .. }) => write!(f, ", workgroups {x} × {y} × {z}"),
            None => Ok(()),
        }
    }
}

/// A list of passes. Each sees what the ones before it wrote. Where several ranks train together it pauses for exchanges, and each
/// part between two of them is a submission of its own.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    passes: Vec<Pass>,
    /// Each with the number of passes before it.
    exchanges: Vec<(usize, Exchange)>,
}

/// Device time of all dispatches of one kernel in a recording.
#[derive(Clone, Debug)]
pub struct PassTime {
    /// The kernel's name.
    pub kernel: String,
    /// Number of dispatches.
    pub dispatches: u32,
    /// Their time together.
    pub time: Duration,
}

impl Recording {
    /// Adds a pass.
    pub fn push(&mut self, pass: &Pass) {
        self.passes.push(pass.clone());
    }

    /// Adds an exchange between ranks.
    pub fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.push((self.passes.len(), exchange));
    }

    /// Adds all passes, and exchanges, of another recording.
    pub fn extend(&mut self, other: &Self) {
        let before = self.passes.len();
        self.passes.extend(other.passes.iter().cloned());
        self.exchanges.extend(other.exchanges.iter().map(|(at, exchange)| (before + at, exchange.clone())));
    }

    /// The passes in order.
    pub fn passes(&self) -> &[Pass] {
        &self.passes
    }

    /// What stands before the first occurrence of a part, how many of it follow each other there, and what stands
    /// behind them. Where it does not occur everything stands before it.
    pub fn around(&self, part: &Self) -> (Self, u32, Self) {
        let of = |passes: &[Pass]| Self { passes: passes.to_vec(), exchanges: Vec::new() };
        // the same work on the same data
        let is_part = |passes: &[Pass]| passes.iter().map(Pass::identity).eq(part.passes.iter().map(Pass::identity));
        let length = part.passes.len().max(1);
        let Some(first) = self.passes.windows(length).position(is_part) else {
            return (self.clone(), 0, Self::default());
        };
        let times = self.passes[first..].chunks(length).take_while(|passes| is_part(passes)).count();
        (of(&self.passes[..first]), times as u32, of(&self.passes[first + times * length..]))
    }

    /// Some of the passes, with timestamps before and behind where those are wanted.
    fn encode(
        &self,
        passes: Range<usize>,
        encoder: &mut wgpu::CommandEncoder,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites>,
    ) -> Result<()> {
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
        let mut compute = encoder.begin_compute_pass(&descriptor);
        self.passes[passes].iter().try_for_each(|pass| encode(pass, &mut compute))
    }
}

fn encode(pass: &Pass, compute: &mut wgpu::ComputePass<'_>) -> Result<()> {
    let ready = pass.ready()?;
    if ready.groups.iter().all(|&groups| groups > 0) {
        ready.dispatch(compute);
    }
    Ok(())
}

impl Ready {
    fn dispatch(&self, compute: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.groups;
        compute.set_pipeline(self.kernel.pipeline());
        if let Some(group) = &self.bind_group {
            compute.set_bind_group(0, group, &[]);
        }
        compute.dispatch_workgroups(x, y, z);
    }

    /// Encodes a dispatch even if it is empty.
    pub fn encode_whatever_the_size(&self, encoder: &mut wgpu::CommandEncoder) {
        self.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.passes.iter().try_for_each(|pass| writeln!(f, "{pass}"))
    }
}

/// Passes that one set of timestamp queries serves; a set holds at most 4096 queries.
const CHUNK: usize = 2048;

impl Gpu {
    /// Commands that run a recording; what stands before its last exchange is submitted and done then, exchanges included.
    pub(super) fn encode(
        &self,
        recording: &Recording,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites>,
    ) -> Result<wgpu::CommandEncoder> {
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.encode_behind(recording, &mut encoder, timestamp_writes)?;
        Ok(encoder)
    }

    /// The same behind other commands.
    pub(super) fn encode_behind(
        &self,
        recording: &Recording,
        encoder: &mut wgpu::CommandEncoder,
        mut timestamp_writes: Option<wgpu::ComputePassTimestampWrites>,
    ) -> Result<()> {
        let mut done = 0;
        for (at, exchange) in &recording.exchanges {
            let Some(ranks) = self.ranks() else {
                return Err(Error::Gpu("an exchange between ranks on a device that is of none".to_owned()));
            };
            recording.encode(done..*at, encoder, timestamp_writes.take())?;
            done = *at;
            let next = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let sources = exchange.sources(ranks)?;
            let read = self.read_raw(std::mem::replace(encoder, next), &sources)?;
            let words = read.wait_with(self, |mapped| {
                (0..sources.len()).map(|i| mapped.source::<u32>(i).to_vec()).collect::<Vec<_>>()
            })?;
            exchange.run(self, ranks, &words)?;
        }
        recording.encode(done..recording.passes.len(), encoder, timestamp_writes)
    }

    /// Runs a recording with a timestamp around every pass and sums the times by kernel, in order of first use.
    /// `None` where the adapter has no timestamps.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn profile(&self, recording: &Recording) -> Result<Option<Vec<PassTime>>> {
        if !self.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let mut times: Vec<PassTime> = Vec::new();
        for passes in recording.passes.chunks(CHUNK) {
            let count = 2 * passes.len() as u32;
            let queries = self.device().create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("pass times"),
                ty: wgpu::QueryType::Timestamp,
                count,
            });
            let resolved = self.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("pass times"),
                size: u64::from(count) * 8,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            for (i, pass) in passes.iter().enumerate() {
                let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some(pass.kernel()),
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: &queries,
                        beginning_of_pass_write_index: Some(2 * i as u32),
                        end_of_pass_write_index: Some(2 * i as u32 + 1),
                    }),
                });
                encode(pass, &mut compute)?;
            }
            encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
            let words: Vec<u64> = self.read_raw(encoder, &[(&resolved, 0..u64::from(count) * 8)])?.wait(self)?.take(0);
            for (pass, stamps) in passes.iter().zip(words.chunks_exact(2)) {
                let ticks = stamps[1].saturating_sub(stamps[0]) as f64;
                let time = Duration::from_secs_f64(ticks * f64::from(self.queue().get_timestamp_period()) * 1e-9);
                match times.iter_mut().find(|known| known.kernel == pass.kernel()) {
                    Some(known) => (known.dispatches, known.time) = (known.dispatches + 1, known.time + time),
                    None => times.push(PassTime { kernel: pass.kernel().to_owned(), dispatches: 1, time }),
                }
            }
        }
        Ok(Some(times))
    }
}
