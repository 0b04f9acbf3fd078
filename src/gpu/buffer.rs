//! Typed buffers.

use super::Gpu;
use crate::error::{Error, Result};
use std::marker::PhantomData;

/// `len` elements of `T` in device memory. Clones share the memory.
#[derive(Debug)]
pub struct Buffer<T> {
    raw: wgpu::Buffer,
    label: &'static str,
    len: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), label: self.label, len: self.len, element: PhantomData }
    }
}

impl<T> Buffer<T> {
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
        self.label
    }

    /// The buffer of wgpu, to be shared without a copy.
    pub fn raw(&self) -> &wgpu::Buffer {
        &self.raw
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
    /// As [`Gpu::buffer`].
    pub fn buffer_of<T: bytemuck::Pod>(&self, label: &'static str, elements: &[T]) -> Result<Buffer<T>> {
        let buffer =
            self.buffer(label, elements.len() as u64, &format!("{} elements", elements.len()), "their number")?;
        self.write(&buffer, elements);
        Ok(buffer)
    }

    /// A buffer with these elements that kernels may read as a uniform too.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn uniform_or_storage<T: bytemuck::Pod>(&self, label: &'static str, elements: &[T]) -> Result<Buffer<T>> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
        let arithmetic = format!("{} elements", elements.len());
        let buffer = self.make(label, elements.len() as u64, &arithmetic, "their number", usage)?;
        self.write(&buffer, elements);
        Ok(buffer)
    }

    /// A uniform with this value.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
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
        let size = size_of::<T>() as u64;
        // WGSL's arrays are of whole elements of at least 4 bytes; wgpu copies multiples of 4
        let bytes = len.max(1).saturating_mul(size).max(16);
        let limit = self.largest_binding();
        if bytes > limit {
            let (arithmetic, remedy) = (format!("{arithmetic} × {size} bytes"), remedy.to_owned());
            return Err(Error::TooLarge { buffer: label.to_owned(), arithmetic, bytes, limit, remedy });
        }
        let scope = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let raw = self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: usage | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if pollster::block_on(scope.pop()).is_some() {
            return Err(Error::OutOfMemory { buffer: label.to_owned(), bytes });
        }
        self.check()?;
        Ok(Buffer { raw, label, len: len.max(1) as usize, element: PhantomData })
    }

    /// Writes elements from the start of a buffer, before anything that is submitted later.
    pub fn write<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, elements: &[T]) {
        self.write_at(buffer, 0, elements);
    }

    /// Writes elements from the `first`-th on; what does not fit is a bug of the caller and is cut off.
    pub fn write_at<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, first: usize, elements: &[T]) {
        let count = elements.len().min(buffer.len.saturating_sub(first));
        let offset = (first * size_of::<T>()) as u64;
        self.queue().write_buffer(&buffer.raw, offset, bytemuck::cast_slice(&elements[..count]));
    }
}
