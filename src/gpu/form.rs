//! The one place that decides which form of the kernels an adapter gets.
//!
//! | adapter | form | why |
//! |---|---|---|
//! | GPU | [`Form::TILED`] | registers hold the activations of a world; where weights are learned, workgroup memory holds those of a tile of samples, so that nothing but sums leaves the chip |
//! | software with subgroups of one size, long work | [`Form::fast`] | a load costs tens of instructions: one load of the subgroup serves `size` vec4s, each weight eight samples, and where no backward pass follows weights never move at all |
//! | the same, short work | [`Form::light`] | a third of the code: compiled in a third of the time, four to five times slower |
//! | software without subgroups | [`Form::WIDE`] | each weight serves four samples |
//!
//! The measurements are in `benches/NOTES.md`. [`Form::table`] lists every form that exists; the tests run all of them.
//! Results in different forms agree within rounding; runs repeat bit for bit within one form. Nothing is measured at
//! run time to choose one: the choice follows from the adapter and the configuration, and so does every bit of a run.

/// How neighbouring invocations read the same vec4s: slot `share`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Each invocation reads all of them.
    Plain,
    /// Each lane of a subgroup of this size reads a different one and hands it round.
    Subgroup(u32),
}

/// The form of the kernels: everything that shapes their code beyond the sizes of the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Worlds or samples in a Lane: 1 or 4 (slot `lane`).
    pub lanes: u32,
    /// Lanes in an invocation of the kernels that learn; of those with worlds in them it is 1, for the sake of the
    /// environment's code.
    pub vectors: u32,
    /// Slot `share`.
    pub share: Share,
    /// Whether a subgroup runs a network together where no backward pass follows (`part/mlp_units.wgsl`).
    pub units: bool,
    /// Whether it is one for GPUs, whose compilers want weights from a uniform buffer, read where they are used.
    pub hardware: bool,
    /// Bytes of workgroup memory for a tile of samples in the kernels that learn (`part/mlp_tile.wgsl`); 0 = none.
    pub tile: u32,
    /// Invocations in a workgroup; a power of two.
    pub workgroup: u32,
}

/// Gradients of single samples from which on the kernels of [`Form::fast`] pay for their longer compilation.
const LONG_WORK: u64 = 2_500_000;

impl Form {
    /// One sample in each invocation, no subgroups: works everywhere.
    pub const PLAIN: Self =
        Self { lanes: 1, vectors: 1, share: Share::Plain, units: false, hardware: false, tile: 0, workgroup: 64 };
    /// The form for GPUs; all of the workgroup memory that WebGPU promises goes into the tile.
    pub const TILED: Self = Self { hardware: true, tile: 16 << 10, ..Self::PLAIN };
    /// Four samples in each invocation, no subgroups.
    pub const WIDE: Self = Self { lanes: 4, ..Self::PLAIN };

    /// The fastest form where a processor plays the GPU with subgroups of this size.
    pub const fn fast(size: u32) -> Self {
        Self { lanes: 4, vectors: 2, share: Share::Subgroup(size), units: true, ..Self::PLAIN }
    }

    /// The form that is compiled fastest there.
    pub const fn light(size: u32) -> Self {
        Self { share: Share::Subgroup(size), ..Self::PLAIN }
    }

    /// Every form that exists, on an adapter with subgroups of this size, if it has them.
    pub fn table(subgroups: Option<u32>) -> Vec<Self> {
        let mut forms = vec![Self::PLAIN, Self { vectors: 2, ..Self::PLAIN }, Self::WIDE, Self::TILED];
        forms.extend(subgroups.iter().flat_map(|&size| [Self::light(size), Self::fast(size)]));
        forms
    }

    /// Size of the subgroups of an adapter on which invocations can share by a constant lane: a software adapter with
    /// subgroups of one size only.
    pub fn subgroups(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Option<u32> {
        let size = info.subgroup_min_size;
        let fixed = size == info.subgroup_max_size && (2..=16).contains(&size) && size.is_power_of_two();
        let software = info.device_type == wgpu::DeviceType::Cpu;
        (software && fixed && features.contains(wgpu::Features::SUBGROUP)).then_some(size)
    }

    /// Vec4s that one load of a subgroup fetches: `MW_SHARE`.
    pub fn share_size(self) -> u32 {
        match self.share {
            Share::Plain => 1,
            Share::Subgroup(size) => size,
        }
    }

    /// The same for kernels whose threads have little to do each: a processor takes as long to begin a workgroup as for some
    /// of these threads.
    #[must_use]
    pub fn short_running(self) -> Self {
        match self.share {
            Share::Plain => self,
            Share::Subgroup(_) => Self { workgroup: 256, ..self },
        }
    }

    /// Rows of a weight matrix in one task of `weight_gradient.wgsl`; a multiple of 4 times the size of the share.
    pub fn tile_rows(self) -> u32 {
        match self.share {
            Share::Plain => 16,
            Share::Subgroup(size) => (4 * size).max(32),
        }
    }
}

/// Which forms an adapter's kernels have: what of it the kernels of a plan depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// The same for all work; for tests and measurements.
    Always(Form),
    /// That of a GPU.
    Hardware,
    /// Those of a software adapter, with the size of its subgroups where it has some of one size.
    Software(Option<u32>),
}

impl Forms {
    /// The form for work that takes so many gradients of single samples.
    pub fn of_work(self, work: u64) -> Form {
        match self {
            Self::Always(form) => form,
            Self::Hardware => Form::TILED,
            Self::Software(Some(size)) if work < LONG_WORK => Form::light(size),
            Self::Software(Some(size)) => Form::fast(size),
            Self::Software(None) => Form::WIDE,
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = match self.share {
            Share::Plain => "plain reads".to_owned(),
            Share::Subgroup(size) => format!("reads shared by subgroups of {size}"),
        };
        let units = if self.units { ", networks run by whole subgroups" } else { "" };
        let tile =
            if self.tile > 0 { format!(", gradients in tiles of {} KiB", self.tile >> 10) } else { String::new() };
        let Self { lanes, vectors, workgroup, .. } = self;
        write!(f, "{vectors} × {lanes} sample(s) an invocation, {share}{units}{tile}, workgroups of {workgroup}")
    }
}
