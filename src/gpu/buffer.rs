//! Typed buffers.

use super::Gpu;
use crate::error::{Error, Result};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// Device memory with a name: it is there, or a plan has yet to make it. Clones share it.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Place>);

#[derive(Debug)]
struct Place {
    label: &'static str,
    raw: OnceLock<wgpu::Buffer>,
}

impl Memory {
    fn new(label: &'static str) -> Self {
        Self(Arc::new(Place { label, raw: OnceLock::new() }))
    }

    /// What it is called in messages and debuggers.
    pub fn label(&self) -> &'static str {
        self.0.label
    }

    /// The buffer of wgpu, once it was made.
    pub fn raw(&self) -> Option<&wgpu::Buffer> {
        self.0.raw.get()
    }

    /// A number that no other memory has.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Makes it, if it is not there yet.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when the memory is not there.
    pub(crate) fn make(&self, gpu: &Gpu, bytes: u64, usage: wgpu::BufferUsages) -> Result<()> {
        if self.0.raw.get().is_some() {
            return Ok(());
        }
        let label = self.0.label;
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let raw = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: usage | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if pollster::block_on(scope.pop()).is_some() {
            return Err(Error::OutOfMemory { buffer: label.to_owned(), bytes });
        }
        gpu.check()?;
        self.0.raw.get_or_init(|| raw);
        Ok(())
    }
}

/// Bytes of a buffer: WGSL's arrays are of whole elements of at least 4 bytes, and wgpu copies multiples of 4.
pub(crate) fn bytes_of<T>(len: u64) -> u64 {
    len.max(1).saturating_mul(size_of::<T>() as u64).max(16)
}

/// `len` elements of `T` in device memory. Clones share the memory.
#[derive(Debug)]
pub struct Buffer<T> {
    memory: Memory,
    len: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), len: self.len, element: PhantomData }
    }
}

impl<T> Buffer<T> {
    /// A buffer whose memory is made later.
    pub(crate) fn declared(label: &'static str, len: u64) -> Self {
        Self { memory: Memory::new(label), len: len.max(1) as usize, element: PhantomData }
    }

    /// Its memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds nothing. It never does: a buffer of no elements is made with one.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it is called in messages and debuggers.
    pub fn label(&self) -> &'static str {
        self.memory.label()
    }

    /// The buffer of wgpu, to be shared without a copy.
    ///
    /// # Panics
    /// Where it is of a plan that was not built ([`crate::plan::Plan::build`]). Whoever makes a plan builds it before others
    /// see its buffers.
    pub fn raw(&self) -> &wgpu::Buffer {
        match self.memory.raw() {
            Some(raw) => raw,
            None => panic!("buffer '{}' is of a plan that was not built", self.label()),
        }
    }
}

impl Gpu {
    /// Bytes of the largest buffer that a kernel can bind here.
    pub fn largest_binding(&self) -> u64 {
        let limits = self.device().limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// A buffer of `len` zeros (at least one element). `arithmetic` says how the length comes about and `remedy`
    /// which settings to reduce, for the message when it does not fit.
    ///
    /// # Errors
    /// [`Error::TooLarge`] before anything is allocated, [`Error::OutOfMemory`] when the memory is not there.
    pub fn buffer<T: bytemuck::Pod>(
        &self,
        label: &'static str,
        len: u64,
        arithmetic: &str,
        remedy: &str,
    ) -> Result<Buffer<T>> {
        self.make(label, len, arithmetic, remedy, wgpu::BufferUsages::STORAGE)
    }

    /// A buffer with these elements.
    ///
    /// # Errors
    /// Those of [`Gpu::buffer`].
    pub fn buffer_of<T: bytemuck::Pod>(&self, label: &'static str, elements: &[T]) -> Result<Buffer<T>> {
        let buffer =
            self.buffer(label, elements.len() as u64, &format!("{} elements", elements.len()), "their number")?;
        self.write(&buffer, elements);
        Ok(buffer)
    }

    /// A uniform with this value.
    ///
    /// # Errors
    /// Those of [`Gpu::buffer`].
    pub fn uniform<T: bytemuck::Pod>(&self, label: &'static str, value: &T) -> Result<Buffer<T>> {
        let buffer = self.make(label, 1, "1", "nothing", wgpu::BufferUsages::UNIFORM)?;
        self.write(&buffer, std::slice::from_ref(value));
        Ok(buffer)
    }

    pub(super) fn make<T: bytemuck::Pod>(
        &self,
        label: &'static str,
        len: u64,
        arithmetic: &str,
        remedy: &str,
        usage: wgpu::BufferUsages,
    ) -> Result<Buffer<T>> {
        let bytes = bytes_of::<T>(len);
        let limit = self.largest_binding();
        if bytes > limit {
            let (arithmetic, remedy) = (format!("{arithmetic} × {} bytes", size_of::<T>()), remedy.to_owned());
            return Err(Error::TooLarge { buffer: label.to_owned(), arithmetic, bytes, limit, remedy });
        }
        let buffer = Buffer::declared(label, len);
        buffer.memory.make(self, bytes, usage)?;
        Ok(buffer)
    }

    /// Writes elements from the start of a buffer, before anything that is submitted later.
    pub fn write<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, elements: &[T]) {
        self.write_at(buffer, 0, elements);
    }

    /// Writes elements from the `first`-th on; what does not fit is a bug of the caller and is cut off.
    pub fn write_at<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, first: usize, elements: &[T]) {
        let count = elements.len().min(buffer.len.saturating_sub(first));
        let offset = (first * size_of::<T>()) as u64;
        self.queue().write_buffer(buffer.raw(), offset, bytemuck::cast_slice(&elements[..count]));
    }
}
