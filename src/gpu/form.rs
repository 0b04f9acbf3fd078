//! The one place that decides which form of the kernels an adapter gets.
//!
//! | adapter | lanes | share | why |
//! |---|---|---|---|
//! | software with subgroups of one size | 4 | subgroup | a load costs tens of instructions: one load of the subgroup serves `size` vec4s, and each weight serves four samples |
//! | software without | 4 | plain | as above, as far as it goes |
//! | GPU | 1 | plain | registers hold one sample's activations; caches serve equal addresses once |
//!
//! Results in different forms agree within rounding; runs repeat bit for bit within one form.

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
    /// Rows of a weight matrix in one task of the weight gradient; a multiple of 4 times the size of the share.
    pub tile_rows: u32,
    /// Invocations in a workgroup; a power of two.
    pub workgroup: u32,
}

impl Form {
    /// One sample in each invocation, no subgroups: works everywhere.
    pub const PLAIN: Self = Self { lanes: 1, vectors: 1, share: Share::Plain, tile_rows: 16, workgroup: 64 };

    /// The form for an adapter.
    pub fn of(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Self {
        if info.device_type != wgpu::DeviceType::Cpu {
            return Self::PLAIN;
        }
        let size = info.subgroup_min_size;
        let fixed = size == info.subgroup_max_size && (2..=16).contains(&size);
        // subgroups that are not there, or whose size varies, cannot share by a constant lane
        if features.contains(wgpu::Features::SUBGROUP) && fixed {
            let vectors = std::env::var("V").ok().and_then(|v| v.parse().ok()).unwrap_or(1);
            return Self { lanes: 4, vectors, share: Share::Subgroup(size), tile_rows: 4 * size.max(8), workgroup: 64 };
        }
        Self { lanes: 4, ..Self::PLAIN }
    }

    /// Vec4s that one load of a subgroup fetches: `MW_SHARE`.
    pub fn share_size(self) -> u32 {
        match self.share {
            Share::Plain => 1,
            Share::Subgroup(size) => size,
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = match self.share {
            Share::Plain => "plain reads".to_owned(),
            Share::Subgroup(size) => format!("reads shared by subgroups of {size}"),
        };
        let Self { lanes, vectors, workgroup, .. } = self;
        write!(f, "{vectors} × {lanes} sample(s) an invocation, {share}, workgroups of {workgroup}")
    }
}
