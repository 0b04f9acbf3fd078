//! From a plan to a device.

use super::{Contents, Kept, Plan};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::shader::Program;
use std::cmp::Reverse;

impl Plan {
    /// Compiles the kernels, makes the buffers, and makes every pass ready to be run; gives the buffers that a run needs to go
    /// on. All sizes were looked at when they were asked for.
    ///
    /// # Errors
    /// [`Error::Shader`] and [`Error::EnvironmentFile`] where a kernel cannot be compiled, [`Error::OutOfMemory`] where the
    /// memory for a buffer is not there, [`Error::LoopBudget`] where this adapter would cut loops short, [`Error::Gpu`] where a
    /// binding is missing or there twice, or a buffer was given more than it holds: a mistake of ours.
    pub fn build(self, gpu: &Gpu) -> Result<Vec<Kept>> {
        for (i, kept) in self.kept.iter().enumerate() {
            if self.kept[..i].iter().any(|known| known.name == kept.name) {
                return Err(Error::Gpu(format!("two buffers of a state are called '{}'", kept.name)));
            }
        }
        // the one first that takes longest
        let mut programs: Vec<&Program> = self.kernels.iter().collect();
        programs.sort_by_key(|program| Reverse(program.len()));
        gpu.compile(&programs)?;
        for buffer in &self.buffers {
            buffer.memory.make(gpu, buffer.bytes, buffer.usage)?;
            let words = match &buffer.contents {
                Contents::Zeros => continue,
                Contents::Words(words) => words,
                Contents::Made(make) => &make(),
            };
            if words.len() as u64 > buffer.bytes {
                let (name, given) = (buffer.memory.label(), words.len());
                return Err(Error::Gpu(format!("buffer '{name}' of {} bytes was given {given}", buffer.bytes)));
            }
            if let Some(raw) = buffer.memory.raw() {
                gpu.queue().write_buffer(raw, 0, words);
            }
        }
        let kernels = self.kernels.iter().map(|program| gpu.kernel(program)).collect::<Result<Vec<_>>>()?;
        for dispatch in &self.passes {
            kernels[dispatch.kernel.0].bind(gpu, &dispatch.pass, dispatch.iterations, &dispatch.buffers)?;
        }
        Ok(self.kept)
    }
}
