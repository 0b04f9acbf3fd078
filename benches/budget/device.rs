//! GPUs that Mesa compiles for without having them, each by this program started again with another environment.

use crate::spirv::Module;
use crate::vulkan::{Compiler, Statistics};
use crate::{Failure, in_parallel};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

/// The argument with which this program compiles what comes on its standard input.
pub const COMPILE: &str = "--compile";

/// A GPU.
pub struct Device {
    pub name: &'static str,
    product: &'static str,
    /// Its names in Mesa, which 23.1 changed for some.
    families: &'static [&'static str],
}

/// All GPUs with budgets.
pub const DEVICES: &[Device] = &[
    Device { name: "navi21", product: "AMD RDNA 2, Radeon RX 6800 and 6900", families: &["navi21"] },
    Device { name: "navi31", product: "AMD RDNA 3, Radeon RX 7900", families: &["gfx1100", "navi31"] },
];

/// Where distributions put what tells the Vulkan loader of RADV.
const MANIFESTS: &[&str] =
    &["/usr/share/vulkan/icd.d/radeon_icd.x86_64.json", "/usr/share/vulkan/icd.d/radeon_icd.json"];

const REMEDY: &str = "It is part of Mesa: install mesa-vulkan-drivers and libvulkan1 (Debian, Ubuntu: apt-get install), \
                      mesa-vulkan-drivers and vulkan-loader (Fedora), vulkan-radeon and vulkan-icd-loader (Arch)";

/// What the compiling process says: of the device, and of each kernel.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub says: String,
    pub kernels: Vec<Result<Statistics, String>>,
}

impl Device {
    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.product)
    }

    /// Compiles everything.
    pub fn compile(&self, modules: &[Module]) -> Result<Answer, Failure> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let machine = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
            let message = format!("budgets of kernels are judged on x86_64 Linux alone; this is {machine}");
            return Err(Failure::new(3, message));
        }
        let missing = || Failure::new(3, format!("no RADV: there is no {}. {REMEDY}", MANIFESTS.join(" nor ")));
        let manifest = MANIFESTS.iter().find(|path| Path::new(path).exists()).ok_or_else(missing)?;
        let input = serde_json::to_vec(modules).map_err(|error| Failure::new(1, error.to_string()))?;
        let mut told = String::new();
        for family in self.families {
            let output = run(family, manifest, &input).map_err(|error| Failure::new(1, error.to_string()))?;
            if output.status.success() {
                let answer: Result<Answer, String> = serde_json::from_slice(&output.stdout)
                    .map_err(|error| Failure::new(1, format!("the compiling process: {error}")))?;
                return answer.map_err(|error| Failure::new(3, format!("RADV for {family}: {error}. {REMEDY}")));
            }
            // Mesa aborts where it does not know a family
            told += &format!("\n  {family}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Err(Failure::new(3, format!("RADV compiles nothing for {}; it needs Mesa 22.3 or newer:{told}", self.name)))
    }
}

/// This program again, with an environment in which RADV alone is found, and takes itself to be on a GPU of this family.
fn run(family: &str, manifest: &str, input: &[u8]) -> std::io::Result<Output> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COMPILE)
        .env("RADV_FORCE_FAMILY", family)
        .env("VK_DRIVER_FILES", manifest)
        // loaders older than 1.3.207
        .env("VK_ICD_FILENAMES", manifest)
        .env_remove("VK_ADD_DRIVER_FILES")
        .env_remove("VK_INSTANCE_LAYERS")
        .env_remove("RADV_DEBUG")
        .env_remove("RADV_PERFTEST")
        .env_remove("ACO_DEBUG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // a process that has ended says by its status why it does not read
        let _ = stdin.write_all(input);
    }
    child.wait_with_output()
}

/// The process that compiles: kernels from standard input, an [`Answer`] or what is missing to standard output.
pub fn compile() -> ExitCode {
    let answer = || {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
        let modules: Vec<Module> = serde_json::from_slice(&input).map_err(|error| error.to_string())?;
        let compiler = Compiler::open()?;
        let kernels = in_parallel(&modules, |module| compiler.compile(module));
        Ok::<_, String>(Answer { says: compiler.says().to_owned(), kernels })
    };
    match serde_json::to_writer(std::io::stdout(), &answer()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
