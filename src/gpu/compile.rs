//! Many kernels compiled at once, on all cores.
//!
//! Mesa's software driver makes machine code at a kernel's first dispatch, on a thread of its own: one for each device. So every
//! core gets a device of its own to compile on, and the device that is to run the kernels finds their code in the driver's
//! cache on disk. Where that is switched off one device compiles them one after the other, while the next are being linked.

use super::recording::Ready;
use super::{Gpu, Kernel};
use crate::error::{Error, Result};
use crate::shader::{Program, carefully};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes of each buffer of a warm-up: more than any structure or uniform of ours.
const WARM_UP_BYTES: u64 = 64 << 10;
/// Most devices that compile beside the one that runs the kernels.
const MOST_COMPILERS: usize = 15;

impl Gpu {
    /// Links and compiles kernels on all cores, so that [`Gpu::kernel`] finds them ready. Give the one first that takes
    /// longest.
    ///
    /// # Errors
    /// The first error of [`Gpu::kernel`] in the order of the list.
    pub(crate) fn compile(&self, list: &[&Program]) -> Result<()> {
        let list: Vec<&&Program> = list.iter().filter(|program| !self.knows(program)).collect();
        let next = AtomicUsize::new(0);
        let errors = Mutex::new(Vec::new());
        let failed = |i: usize, error| errors.lock().unwrap_or_else(PoisonError::into_inner).push((i, error));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(list.len());
        let compilers = self.compilers(threads.saturating_sub(1));
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let compiler = thread.checked_sub(1).and_then(|n| compilers.get(n));
                let (list, next, failed, in_turns) = (&list, &next, &failed, !compilers.is_empty());
                let work = move || {
                    let all = carefully("kernels", || {
                        loop {
                            let i = next.fetch_add(1, Ordering::Relaxed);
                            let Some(program) = list.get(i) else { return Ok(()) };
                            if let Err(error) = self.compile_with(compiler, program, in_turns) {
                                failed(i, error);
                            }
                        }
                    });
                    all.unwrap_or_else(|error| failed(0, error));
                };
                if let Err(error) = std::thread::Builder::new().spawn_scoped(scope, work) {
                    failed(0, Error::Gpu(format!("no thread to compile kernels with: {error}")));
                }
            }
        });
        let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        errors.sort_by_key(|(i, _)| *i);
        errors.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// One kernel, by another device first where there is one. `in_turns`: this device waits for its machine code, so that it takes
    /// no more programs than the others do.
    fn compile_with(&self, compiler: Option<&Self>, program: &Program, in_turns: bool) -> Result<()> {
        let linked = program.link()?;
        if let Some(compiler) = compiler {
            compiler.warm_up(&compiler.linked_kernel(&linked)?)?;
            compiler.wait()?;
        }
        let kernel = self.linked_kernel(&linked)?;
        self.warm_up(&kernel)?;
        self.keep(program, &kernel);
        if in_turns && compiler.is_none() { self.wait() } else { Ok(()) }
    }

    /// Devices like this one to compile on, where that is worth while.
    fn compilers(&self, count: usize) -> Vec<Self> {
        let disabled = ["MESA_SHADER_CACHE_DISABLE", "MESA_GLSL_CACHE_DISABLE"].into_iter().any(|name| {
            std::env::var(name).is_ok_and(|value| ["1", "true", "yes", "y"].contains(&value.to_lowercase().as_str()))
        });
        let cached = self.info().driver == "llvmpipe" && self.info().backend == wgpu::Backend::Vulkan && !disabled;
        let count = if cached { count.min(MOST_COMPILERS) } else { 0 };
        (0..count).map_while(|_| self.another()).collect()
    }

    /// Dispatches nothing, which makes a software driver compile.
    fn warm_up(&self, kernel: &Kernel) -> Result<()> {
        if !self.is_software() {
            return Ok(());
        }
        let layout = kernel.pipeline().get_bind_group_layout(0);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
        let buffers: Vec<_> = (0..kernel.bindings().len())
            .map(|_| self.make::<[f32; 4]>("warm-up", WARM_UP_BYTES / 16, "nothing", "nothing", usage))
            .collect::<Result<_>>()?;
        let entries: Vec<_> = (kernel.bindings().zip(&buffers))
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.raw().as_entire_binding() })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some("warm-up"), layout: &layout, entries: &entries };
        let bind_group = (!entries.is_empty()).then(|| self.device().create_bind_group(&descriptor));
        let nothing = Ready { kernel: kernel.clone(), bind_group, groups: [0; 3] };
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        nothing.encode_whatever_the_size(&mut encoder);
        self.submit_commands(encoder);
        self.check()
    }
}
