//! What drivers read from the environment when they are loaded: how Mesa's software driver uses the processor, and where
//! libraries of the desktop put their sockets.

use std::ffi::OsString;

/// What a processor that plays a GPU is asked for.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each says something else of the work
pub struct Work {
    /// The device gets it in small pieces.
    pub small: bool,
    /// Networks are run layer by layer.
    pub wide: bool,
    /// Pictures are drawn into a window.
    pub window: bool,
    /// Worlds are stepped by their caller: hardly anything but loads and stores.
    pub exchange: bool,
}

impl From<&crate::config::Config> for Work {
    fn from(config: &crate::config::Config) -> Self {
        Self { small: config.is_small(), wide: config.is_wide(), ..Self::default() }
    }
}

/// Threads of the software driver where worlds are stepped by their caller.
#[cfg(target_os = "linux")]
const EXCHANGE_THREADS: usize = 8;

/// What is missing in the environment of this process; what is set already stays.
///
/// - `LP_NATIVE_VECTOR_WIDTH=512` where the processor has AVX-512: training is a third to a half faster then; but networks that
///   are run layer by layer take a fifth longer on Intel's processors, which wait for a word that is read back from a store of 512 bits, and worlds that
///   their caller steps twice as long; and Mesa 22 dies of compiling what draws triangles with it.
/// - `LP_NUM_THREADS=0` where the work comes in pieces so small that waking threads costs more than they do: all of it is left to
///   one thread, up to 1.4 times as fast (`benches/NOTES.md`); and `=8` on fewer cores where worlds are stepped by their caller: of as
///   many threads as cores, woken for milliseconds, the system leaves two on one core for a long time. Drivers of GPUs look at neither.
/// - `XDG_RUNTIME_DIR`, a folder of this user's own, where there is none (in containers, over ssh, in jobs): libraries of the desktop
///   that drivers load complain of it otherwise, twice, before anything else is said.
#[cfg(target_os = "linux")]
pub fn wanted(work: Work) -> Vec<(&'static str, OsString)> {
    let mut wanted: Vec<(&str, OsString)> = Vec::new();
    wanted.extend(vectors(work).map(|bits| ("LP_NATIVE_VECTOR_WIDTH", bits.into())));
    if work.small {
        wanted.push(("LP_NUM_THREADS", "0".into()));
    } else if work.exchange && std::thread::available_parallelism().is_ok_and(|cores| cores.get() < EXCHANGE_THREADS) {
        wanted.push(("LP_NUM_THREADS", EXCHANGE_THREADS.to_string().into()));
    }
    wanted.retain(|(name, _)| std::env::var_os(name).is_none());
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        wanted.extend(runtime_folder().map(|folder| ("XDG_RUNTIME_DIR", folder.into_os_string())));
    }
    wanted
}

/// Nothing is missing elsewhere.
#[cfg(not(target_os = "linux"))]
pub fn wanted(_work: Work) -> Vec<(&'static str, OsString)> {
    Vec::new()
}

/// Starts this program again with what is missing in its environment ([`wanted`]).
pub fn prepare(work: Work, arguments: &[OsString]) {
    let wanted = wanted(work);
    if wanted.is_empty() {
        return;
    }
    #[cfg(unix)]
    if let Ok(mut program) = super::again() {
        use std::os::unix::process::CommandExt;
        // returns only where it failed, and then all goes on as it is
        let _ = program.args(arguments).envs(wanted).exec();
    }
    #[cfg(not(unix))]
    let _ = arguments;
}

/// Bits of vectors, where they are to be others than the driver takes by itself.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn vectors(work: Work) -> Option<&'static str> {
    let slow_stores = || std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("GenuineIntel"));
    let long = std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && !work.window;
    match long {
        false => None,
        // said, so that programs that this one starts come to the same bits
        true if work.exchange && slow_stores() => Some("256"),
        true if work.wide && slow_stores() => None,
        true => Some("512"),
    }
}

#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
fn vectors(_work: Work) -> Option<&'static str> {
    None
}

/// A folder that is this user's and nobody else's, beside temporary files; none where somebody else has its name.
#[cfg(target_os = "linux")]
fn runtime_folder() -> Option<std::path::PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::temp_dir().join(format!("manyworlds-runtime-{user}"));
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&folder); // it may be there
    let found = std::fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == user && found.mode() & 0o777 == 0o700).then_some(folder)
}
