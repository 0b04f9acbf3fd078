//! What of a device a plan depends on.

use crate::gpu::{Form, Forms, GPU_LOOP_BUDGET, Gpu, LOOP_BUDGET, Rank};

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which forms its kernels have.
    pub forms: Forms,
    /// Whether a processor plays the GPU.
    pub software: bool,
    /// Bytes of the largest buffer that a kernel can bind.
    pub largest_binding: u64,
    /// Whether kernels and passes are wanted, or nothing but the sizes of buffers.
    pub records: bool,
    /// Which of several ranks plans it, each for its share of the worlds.
    pub rank: Rank,
}

impl Target {
    /// A GPU that can bind everything.
    pub const GPU: Self =
        Self { forms: Forms::Hardware, software: false, largest_binding: u64::MAX, records: true, rank: Rank::ALONE };

    /// A processor that plays a GPU with subgroups of eight, as Mesa's driver does on one with AVX2.
    pub const SOFTWARE: Self = Self { forms: Forms::Software(Some(8)), software: true, ..Self::GPU };

    /// Any adapter, before one was opened: sizes alone, which the form of the kernels moves by a few samples.
    pub const ANY: Self = Self { forms: Forms::Always(Form::WIDE), records: false, ..Self::GPU };

    /// Loop iterations of one invocation that a dispatch is planned for.
    pub fn loop_budget(&self) -> u64 {
        if self.software { LOOP_BUDGET } else { GPU_LOOP_BUDGET }
    }

    /// Bytes of what the gradients of a window may leave for others to sum. Windows change no result; each is some dispatches more,
    /// which cost a GPU more than its memory.
    pub fn trace_bytes(&self) -> u64 {
        if self.software { 96 << 20 } else { self.largest_binding.min(512 << 20) }
    }

    /// This device.
    pub fn of(gpu: &Gpu) -> Self {
        Self {
            forms: gpu.forms_of_work(),
            software: gpu.is_software(),
            largest_binding: gpu.largest_binding(),
            records: true,
            rank: gpu.rank(),
        }
    }
}
