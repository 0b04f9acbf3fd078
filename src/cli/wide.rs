//! Mesa's software driver computes with vectors of 256 bits unless the environment says otherwise before it is loaded.

/// Starts this program again with `LP_NATIVE_VECTOR_WIDTH=512` where the processor has AVX-512 and nothing is set:
/// training is a third to a half faster then (`benches/NOTES.md`). Drivers of GPUs do not look at it.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub fn use_wide_vectors() {
    use std::os::unix::process::CommandExt;
    const WIDTH: &str = "LP_NATIVE_VECTOR_WIDTH";
    let wide = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];
    let has = |name: &str| match name {
        "avx512f" => std::arch::is_x86_feature_detected!("avx512f"),
        "avx512bw" => std::arch::is_x86_feature_detected!("avx512bw"),
        "avx512dq" => std::arch::is_x86_feature_detected!("avx512dq"),
        _ => std::arch::is_x86_feature_detected!("avx512vl"),
    };
    if std::env::var_os(WIDTH).is_some() || !wide.into_iter().all(has) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // returns only where it failed, and then all goes on as it is
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(WIDTH, "512").exec();
    }
}

/// Nothing to do elsewhere.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub fn use_wide_vectors() {}
