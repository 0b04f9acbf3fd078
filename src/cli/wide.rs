//! How Mesa's software driver uses the processor, which it decides when it is loaded: from the environment.

/// What a processor that plays a GPU is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// The device gets it in small pieces.
    pub small: bool,
    /// Networks are run layer by layer.
    pub wide: bool,
}

impl From<&manyworlds::config::Config> for Work {
    fn from(config: &manyworlds::config::Config) -> Self {
        Self { small: config.is_small(), wide: config.is_wide() }
    }
}

/// Starts this program again with `LP_NATIVE_VECTOR_WIDTH=512` where the processor has AVX-512: training is a third to a
/// half faster then; but networks that are run layer by layer take a fifth longer on Intel's processors, which wait for a word that
/// is read back from a store of 512 bits. Where the work comes in pieces so small that waking threads costs more than they do, all
/// of it is left to one thread (`LP_NUM_THREADS=0`): up to 1.4 times as fast. What is set already stays (`benches/NOTES.md`). Drivers of
/// GPUs look at neither.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub fn use_processor(work: Work) {
    use std::os::unix::process::CommandExt;
    let wide = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];
    let has = |name: &str| match name {
        "avx512f" => std::arch::is_x86_feature_detected!("avx512f"),
        "avx512bw" => std::arch::is_x86_feature_detected!("avx512bw"),
        "avx512dq" => std::arch::is_x86_feature_detected!("avx512dq"),
        _ => std::arch::is_x86_feature_detected!("avx512vl"),
    };
    let slow_stores = || std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("GenuineIntel"));
    let long = wide.into_iter().all(has) && !(work.wide && slow_stores());
    let wanted = [("LP_NATIVE_VECTOR_WIDTH", "512", long), ("LP_NUM_THREADS", "0", work.small)];
    let new: Vec<(&str, &str)> = wanted
        .into_iter()
        .filter(|(name, _, wanted)| *wanted && std::env::var_os(name).is_none())
        .map(|(name, value, _)| (name, value))
        .collect();
    if new.is_empty() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // returns only where it failed, and then all goes on as it is
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(new).exec();
    }
}

/// Nothing to do elsewhere.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub fn use_processor(_work: Work) {}
