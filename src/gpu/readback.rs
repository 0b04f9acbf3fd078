//! Reading results without stopping the device: copies are queued behind the work and mapped when it is done.
//! Staging memory goes round: a read takes what an earlier one has given back.

use super::{Buffer, Gpu, Recording};
use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{PoisonError, mpsc};

/// Staging buffers that wait to be used again at most.
const MOST_FREE: usize = 8;

/// Results on their way from the device. Several can be under way at once; each holds its own staging memory.
#[derive(Debug)]
pub struct Readback {
    staging: wgpu::Buffer,
    /// Byte range of each source in the staging memory.
    ranges: Vec<Range<usize>>,
    mapped: mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
    submission: wgpu::SubmissionIndex,
}

/// Results that have arrived.
#[derive(Debug)]
pub struct Arrived {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

/// Results where they have arrived, as long as they are looked at.
#[derive(Debug)]
pub struct Mapped<'a> {
    bytes: &'a [u8],
    ranges: &'a [Range<usize>],
}

impl<'a> Mapped<'a> {
    /// The elements of the i-th source. Each lies at a multiple of 16 bytes of memory that is aligned to more.
    pub fn source<T: bytemuck::Pod>(&self, i: usize) -> &'a [T] {
        bytemuck::cast_slice(&self.bytes[self.ranges[i].clone()])
    }
}

impl Arrived {
    /// The elements of the i-th source.
    pub fn take<T: bytemuck::Pod>(&self, i: usize) -> Vec<T> {
        bytemuck::pod_collect_to_vec(&self.bytes[self.ranges[i].clone()])
    }
}

impl Readback {
    /// The results, if they are there.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn try_take(self, gpu: &Gpu) -> Result<std::result::Result<Arrived, Self>> {
        // polling drives the callbacks; it does not wait
        let polled = gpu.device().poll(wgpu::PollType::Poll);
        gpu.check()?;
        polled.map_err(|error| Error::DeviceLost { reason: error.to_string() })?;
        match self.mapped.try_recv() {
            Ok(result) => self.arrive(gpu, result).map(Ok),
            Err(mpsc::TryRecvError::Empty) => Ok(Err(self)),
            Err(mpsc::TryRecvError::Disconnected) => Err(Error::DeviceLost { reason: "a read was dropped".to_owned() }),
        }
    }

    /// Waits for the results.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn wait(self, gpu: &Gpu) -> Result<Arrived> {
        let result = self.waited(gpu)?;
        self.arrive(gpu, result)
    }

    /// Waits for the results and shows them where they are, without a copy.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn wait_with<T>(self, gpu: &Gpu, look: impl FnOnce(&Mapped<'_>) -> T) -> Result<T> {
        let result = self.waited(gpu)?;
        self.show(gpu, result, look)
    }

    fn waited(&self, gpu: &Gpu) -> Result<std::result::Result<(), wgpu::BufferAsyncError>> {
        // its own submission, not those behind it
        let own = wgpu::PollType::Wait { submission_index: Some(self.submission.clone()), timeout: None };
        let waited = gpu.device().poll(own);
        gpu.check()?;
        waited.map_err(|error| Error::DeviceLost { reason: error.to_string() })?;
        self.mapped.recv().map_err(|_| Error::DeviceLost { reason: "a read was dropped".to_owned() })
    }

    fn arrive(self, gpu: &Gpu, result: std::result::Result<(), wgpu::BufferAsyncError>) -> Result<Arrived> {
        let ranges = self.ranges.clone();
        self.show(gpu, result, |mapped| Arrived { bytes: mapped.bytes.to_vec(), ranges })
    }

    fn show<T>(
        self,
        gpu: &Gpu,
        result: std::result::Result<(), wgpu::BufferAsyncError>,
        look: impl FnOnce(&Mapped<'_>) -> T,
    ) -> Result<T> {
        let lost = |reason: String| Error::DeviceLost { reason };
        result.map_err(|error| lost(error.to_string()))?;
        let view = self.staging.slice(..).get_mapped_range().map_err(|error| lost(error.to_string()))?;
        let seen = look(&Mapped { bytes: &view, ranges: &self.ranges });
        drop(view);
        self.staging.unmap();
        gpu.give_back(self.staging);
        Ok(seen)
    }
}

impl Gpu {
    /// Submits a recording and queues a copy of whole buffers behind it.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn submit_and_read(&self, recording: &Recording, sources: &[&wgpu::Buffer]) -> Result<Readback> {
        let encoder = self.encode(recording, None)?;
        let sources: Vec<_> = sources.iter().map(|&source| (source, 0..source.size())).collect();
        self.read_raw(encoder, &sources)
    }

    /// Queues copies of these bytes of buffers behind the commands of `encoder`, and submits both.
    pub(super) fn read_raw(
        &self,
        mut encoder: wgpu::CommandEncoder,
        sources: &[(&wgpu::Buffer, Range<u64>)],
    ) -> Result<Readback> {
        let mut end = 0;
        let mut ranges = Vec::with_capacity(sources.len());
        for (_, bytes) in sources {
            let bytes = (bytes.end - bytes.start) as usize;
            ranges.push(end..end + bytes);
            end += bytes.next_multiple_of(16);
        }
        let staging = self.staging(end.max(16) as u64)?;
        for ((source, bytes), range) in sources.iter().zip(&ranges) {
            encoder.copy_buffer_to_buffer(source, bytes.start, &staging, range.start as u64, bytes.end - bytes.start);
        }
        self.state.readbacks.fetch_add(1, Ordering::Relaxed);
        let submission = self.submit_commands(encoder);
        let (sender, mapped) = mpsc::channel();
        staging.slice(..).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
        self.check()?;
        Ok(Readback { staging, ranges, mapped, submission })
    }

    /// Keeps staging memory for the next read; what was given back longest ago goes where there is much of it.
    fn give_back(&self, staging: wgpu::Buffer) {
        let mut free = self.state.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() == MOST_FREE {
            free.remove(0);
        }
        free.push(staging);
    }

    /// Staging memory of at least this size.
    fn staging(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let mut free = self.state.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = free.iter().position(|buffer| (bytes..=2 * bytes).contains(&buffer.size())) {
            return Ok(free.remove(found));
        }
        drop(free);
        let scope = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let staging = self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match pollster::block_on(scope.pop()) {
            Some(_) => Err(Error::OutOfMemory { buffer: "staging".to_owned(), bytes }),
            None => Ok(staging),
        }
    }

    /// Reads a whole buffer and waits for it. For set-up, tests and results; never inside an update.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn read<T: bytemuck::Pod>(&self, buffer: &Buffer<T>) -> Result<Vec<T>> {
        let mut elements = self.submit_and_read(&Recording::default(), &[buffer.raw()])?.wait(self)?.take(0);
        elements.truncate(buffer.len());
        Ok(elements)
    }
}
