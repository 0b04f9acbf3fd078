//! GPUs that Mesa compiles for without having them, each by this program started again with another environment.

use crate::spirv::Module;
use crate::vulkan::{Compiler, SUBGROUP_SIZE, Statistics};
use crate::{Failure, in_parallel};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

/// The argument with which this program compiles what comes on its standard input.
pub const COMPILE: &str = "--compile";

/// A GPU.
pub struct Device {
    pub name: &'static str,
    product: &'static str,
    pub driver: &'static Driver,
    /// Its names in Mesa, which 23.1 changed for some.
    families: &'static [&'static str],
}

/// One of Mesa's drivers.
pub struct Driver {
    name: &'static str,
    /// The environment variable that names the GPU to be.
    variable: &'static str,
    /// Where distributions put what tells the Vulkan loader of it.
    manifests: &'static [&'static str],
    /// The library that answers for the kernel, and so for the GPU, where the driver does not do without one itself. No
    /// distribution packs it, so such a driver is taken from a folder that `debian13.sh` makes.
    stand_in: Option<&'static str>,
    oldest: &'static str,
    /// Columns of a table, and what the driver calls them.
    pub columns: &'static [(&'static str, &'static str)],
    /// Whether `budgets.toml` is about its names.
    pub judged: bool,
}

/// All GPUs.
pub const DEVICES: &[Device] = &[
    Device { name: "navi21", product: "AMD RDNA 2, Radeon RX 6800 and 6900", driver: &RADV, families: &["navi21"] },
    Device { name: "navi31", product: "AMD RDNA 3, Radeon RX 7900", driver: &RADV, families: &["gfx1100", "navi31"] },
    Device { name: "ga102", product: "NVIDIA Ampere, GeForce RTX 3080 and 3090", driver: &NVK, families: &["172"] },
    Device { name: "a770", product: "Intel Alchemist, Arc A770", driver: &ANV, families: &["dg2"] },
];

const RADV: Driver = Driver {
    name: "RADV",
    variable: "RADV_FORCE_FAMILY",
    manifests: &["usr/share/vulkan/icd.d/radeon_icd.x86_64.json", "usr/share/vulkan/icd.d/radeon_icd.json"],
    stand_in: None,
    oldest: "22.3",
    columns: &[
        ("VGPRs", "VGPRs"),
        ("SGPRs", "SGPRs"),
        ("spilled VGPRs", "Spilled VGPRs"),
        ("spilled SGPRs", "Spilled SGPRs"),
        ("scratch", "Scratch size"),
        ("LDS", "LDS size"),
        ("waves", "Subgroups per SIMD"),
        ("instructions", "Instructions"),
        ("inv. throughput", "Inverse Throughput"),
    ],
    judged: true,
};

const NVK: Driver = Driver {
    name: "NVK",
    variable: "NOUVEAU_CHIPSET",
    manifests: &["usr/share/vulkan/icd.d/nouveau_icd.json"],
    stand_in: Some("libnouveau_noop_drm_shim.so"),
    oldest: "25.0",
    columns: &[("registers", "Number of GPRs"), ("local memory", "SLM Size"), ("instructions", "Instruction count")],
    judged: false,
};

const ANV: Driver = Driver {
    name: "ANV",
    variable: "INTEL_STUB_GPU_PLATFORM",
    manifests: &["usr/share/vulkan/icd.d/intel_icd.json"],
    stand_in: Some("libintel_noop_drm_shim.so"),
    oldest: "25.0",
    columns: &[
        ("SIMD", SUBGROUP_SIZE),
        ("spills", "Spill Count"),
        ("fills", "Fill Count"),
        ("scratch", "Scratch Memory Size"),
        ("shared", "Workgroup Memory Size"),
        ("instructions", "Instruction Count"),
        ("cycles", "Cycle Count"),
    ],
    judged: false,
};

/// In the folder: libraries, the program among them that loads others, and what `debian13.sh` made.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const LINKER: &str = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
const STAND_INS: &str = "opt/stand-ins";

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

    /// Compiles everything, with a driver from `folder` where this system's does not do without a GPU.
    pub fn compile(&self, modules: &[Module], folder: Option<&Path>) -> Result<Answer, Failure> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let machine = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
            let message = format!("budgets of kernels are judged on x86_64 Linux alone; this is {machine}");
            return Err(Failure::new(3, message));
        }
        let driver = self.driver;
        let place = driver.find(folder)?;
        let input = serde_json::to_vec(modules).map_err(|error| Failure::new(1, error.to_string()))?;
        let mut told = String::new();
        for family in self.families {
            let output = place.run(driver, family, &input).map_err(|error| Failure::new(1, error.to_string()))?;
            if output.status.success() {
                let answer: Result<Answer, String> = serde_json::from_slice(&output.stdout)
                    .map_err(|error| Failure::new(1, format!("the compiling process: {error}")))?;
                let told = |error| format!("{} for {family}: {error}. {}", driver.name, driver.remedy(folder));
                return answer.map_err(|error| Failure::new(3, told(error)));
            }
            // Mesa aborts where it does not know a family
            told += &format!("\n  {family}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
        }
        let message = format!("{} compiles nothing for {}; {}:{told}", driver.name, self.name, driver.needed());
        Err(Failure::new(3, message))
    }
}

/// Where a driver was found.
struct Place<'a> {
    manifest: PathBuf,
    /// The folder that it is in, and its stand-in.
    stand_in: Option<(&'a Path, &'static str)>,
}

impl Driver {
    fn find<'a>(&self, folder: Option<&'a Path>) -> Result<Place<'a>, Failure> {
        let missing = |what: String| Failure::new(3, format!("no {}: {what}. {}", self.name, self.remedy(folder)));
        let (root, stand_in) = match (self.stand_in, folder) {
            (None, _) => (Path::new("/"), None),
            (Some(library), Some(folder)) => (folder, Some((folder, library))),
            (Some(_), None) => return Err(missing("this system's does not do without its GPU".to_owned())),
        };
        let library = stand_in.map(|(folder, library)| folder.join(STAND_INS).join(library));
        if let Some(library) = library.filter(|library| !library.exists()) {
            return Err(missing(format!("there is no {}", library.display())));
        }
        let mut manifests = self.manifests.iter().map(|path| root.join(path));
        let none = || missing(format!("there is no {} in {}", self.manifests.join(" nor "), root.display()));
        let manifest = manifests.find(|path| path.exists()).ok_or_else(none)?;
        Ok(Place { manifest, stand_in })
    }

    /// Its oldest version that will do, in words.
    pub fn needed(&self) -> String {
        format!("it needs Mesa {} or newer", self.oldest)
    }

    fn remedy(&self, folder: Option<&Path>) -> String {
        if self.stand_in.is_none() {
            return REMEDY.to_owned();
        }
        let folder = folder.map_or("FOLDER".into(), Path::to_string_lossy);
        format!(
            "It comes with a folder of Debian 13, which this makes, as root: benches/budget/debian13.sh {folder} \
             (1.5 GB, five to fifteen minutes); then make gpu-budget-all DEBIAN13={folder}"
        )
    }
}

impl Place<'_> {
    /// This program again, with an environment in which this driver alone is found, and takes itself to be on this GPU.
    fn run(&self, driver: &Driver, family: &str, input: &[u8]) -> std::io::Result<Output> {
        let program = std::env::current_exe()?;
        let mut command = match self.stand_in {
            None => Command::new(program),
            // with the libraries of the folder, of which nothing else is used
            Some((folder, stand_in)) => {
                let libraries = std::env::join_paths([LIBRARIES, STAND_INS].map(|path| folder.join(path)));
                let libraries = libraries.map_err(std::io::Error::other)?;
                let mut linker = Command::new(folder.join(LINKER));
                linker.arg("--library-path").arg(libraries).arg("--preload").arg(stand_in).arg(program);
                linker
            }
        };
        let mut child = command
            .arg(COMPILE)
            .env(driver.variable, family)
            .env("VK_DRIVER_FILES", &self.manifest)
            // loaders older than 1.3.207
            .env("VK_ICD_FILENAMES", &self.manifest)
            .env_remove("VK_ADD_DRIVER_FILES")
            .env_remove("VK_INSTANCE_LAYERS")
            .env_remove("RADV_DEBUG")
            .env_remove("RADV_PERFTEST")
            .env_remove("ACO_DEBUG")
            .env_remove("NVK_DEBUG")
            .env_remove("NAK_DEBUG")
            .env_remove("INTEL_DEBUG")
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
