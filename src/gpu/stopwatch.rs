//! Where the time of work goes: timestamps around spans of passes, in the submission that does the work anyway.

use super::{Gpu, Readback, Recording};
use crate::error::Result;
use std::ops::Range;
use std::time::Duration;

/// Most spans that are timed at once: a set of queries holds 4096.
pub(crate) const MOST_SPANS: usize = 2048;

/// Passes that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// The passes.
    pub passes: Recording,
    /// Whether their time is taken.
    pub timed: bool,
}

/// Timestamps around spans. Submissions can share it: each reads it before the next writes it.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    spans: u32,
    /// Nanoseconds of a tick.
    period: f32,
}

impl Stopwatch {
    /// For so many spans, at most [`MOST_SPANS`]; none where the adapter has no timestamps.
    pub fn new(gpu: &Gpu, spans: usize) -> Option<Self> {
        if !gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let spans = spans.clamp(1, MOST_SPANS) as u32;
        let queries = gpu.device().create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("stopwatch"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * spans,
        });
        let resolved = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("stopwatch"),
            size: u64::from(2 * spans) * 8,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { queries, resolved, spans, period: gpu.queue().get_timestamp_period() })
    }

    /// What is to be read behind so many timed spans.
    pub fn source(&self, spans: usize) -> (&wgpu::Buffer, Range<u64>) {
        (&self.resolved, 0..16 * (spans as u64).min(self.spans.into()))
    }

    /// The time of each of them; those that there was no room for are left out.
    pub fn times(&self, ticks: &[u64]) -> Vec<Duration> {
        let time = |stamps: &[u64]| {
            Duration::from_secs_f64(stamps[1].saturating_sub(stamps[0]) as f64 * f64::from(self.period) * 1e-9)
        };
        ticks.chunks_exact(2).map(time).collect()
    }
}

impl Gpu {
    /// Submits spans one after the other, with the timestamps of a stopwatch around those that are timed, and queues copies of
    /// parts of buffers behind them, the stopwatch's own among them. What is computed does not depend on what is timed.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub(crate) fn submit_spans(
        &self,
        spans: &[Span],
        stopwatch: Option<&Stopwatch>,
        sources: &[(&wgpu::Buffer, Range<u64>)],
    ) -> Result<Readback> {
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut timed = 0;
        for span in spans {
            let stopwatch = stopwatch.filter(|stopwatch| span.timed && timed < stopwatch.spans);
            let writes = stopwatch.map(|stopwatch| wgpu::ComputePassTimestampWrites {
                query_set: &stopwatch.queries,
                beginning_of_pass_write_index: Some(2 * timed),
                end_of_pass_write_index: Some(2 * timed + 1),
            });
            timed += u32::from(writes.is_some());
            self.encode_behind(&span.passes, &mut encoder, writes)?;
        }
        if let Some(stopwatch) = stopwatch.filter(|_| timed > 0) {
            encoder.resolve_query_set(&stopwatch.queries, 0..2 * timed, &stopwatch.resolved, 0);
        }
        self.read_raw(encoder, sources)
    }
}
