//! Which GPU is used, and why.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// `--adapter auto|INDEX|NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// Discrete before integrated before virtual before software; the first of equals.
    #[default]
    Auto,
    /// The place in the list that `manyworlds doctor` prints.
    Index(usize),
    /// Part of the adapter's name, in any case.
    Name(String),
}

impl FromStr for AdapterChoice {
    type Err = String;

    /// A whole number is an index and nothing else, though names have numbers in them. An empty name, which every adapter
    /// has a part of, is refused.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if text == "auto" {
            Ok(Self::Auto)
        } else if text.is_empty() {
            Err("it is empty; leave it out, or name a part of what `manyworlds doctor` shows".to_owned())
        } else if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let none = |_| "no machine has such an index; `manyworlds doctor` shows those present".to_owned();
            text.parse().map(Self::Index).map_err(none)
        } else {
            Ok(Self::Name(text.to_owned()))
        }
    }
}

impl fmt::Display for AdapterChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Every adapter of the machine, in the order in which `auto` prefers them. `WGPU_BACKEND` (such as `vulkan`, `gl`)
/// narrows the search; without it, or where it is empty, Vulkan, Metal and DX12 are searched.
pub fn adapters() -> Vec<wgpu::Adapter> {
    adapters_of(&instance())
}

/// Where adapters are searched.
fn backends() -> wgpu::Backends {
    let named = narrowed().and_then(|_| wgpu::Backends::from_env());
    named.unwrap_or(wgpu::Backends::PRIMARY)
}

/// What adapters and surfaces are made by.
pub(super) fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: backends(),
        // Validation layers check every call again; ours are checked by wgpu. WGPU_VALIDATION and friends bring them back.
        flags: wgpu::InstanceFlags::empty().with_env(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// Its adapters that compute, the preferred first.
pub(super) fn adapters_of(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut adapters = pollster::block_on(instance.enumerate_adapters(backends()));
    adapters
        .retain(|adapter| adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    adapters
}

/// `WGPU_BACKEND`, where it says something.
fn narrowed() -> Option<String> {
    std::env::var_os("WGPU_BACKEND").map(|text| text.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
}

fn rank(kind: wgpu::DeviceType) -> u32 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// The adapters among which ranks of one host are shared out: those that are as good as the first.
pub(super) fn shared_out(adapters: Vec<wgpu::Adapter>, rank: u32) -> Option<wgpu::Adapter> {
    let first = adapters.first()?.get_info();
    let like = |info: wgpu::AdapterInfo| info.device_type == first.device_type && info.backend == first.backend;
    let mut equals: Vec<_> = adapters.into_iter().filter(|adapter| like(adapter.get_info())).collect();
    Some(equals.swap_remove(rank as usize % equals.len()))
}

/// Picks the adapter of a choice among these.
pub(super) fn choose(choice: &AdapterChoice, adapters: Vec<wgpu::Adapter>) -> Result<wgpu::Adapter> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter { hint: missing_driver_hint() });
    }
    let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
    let found = match choice {
        AdapterChoice::Auto => Some(0),
        AdapterChoice::Index(index) => Some(*index),
        AdapterChoice::Name(part) if part.is_empty() => None,
        AdapterChoice::Name(part) => {
            let part = part.to_lowercase();
            names.iter().position(|name| name.to_lowercase().contains(&part))
        }
    };
    let present = || names.iter().enumerate().map(|(i, name)| format!("{i} {name}")).collect::<Vec<_>>().join(", ");
    match found.and_then(|index| adapters.into_iter().nth(index)) {
        Some(adapter) => Ok(adapter),
        None => Err(Error::AdapterNotFound { wanted: choice.to_string(), present: present() }),
    }
}

/// What to do on this machine when no adapter is there.
pub fn missing_driver_hint() -> String {
    if let Some(backend) = narrowed() {
        return format!("WGPU_BACKEND={backend} narrows the search; unset it, or {}", install_hint());
    }
    install_hint()
}

fn install_hint() -> String {
    if !cfg!(target_os = "linux") {
        return "update the graphics driver".to_owned();
    }
    let container = std::path::Path::new("/.dockerenv").exists() || std::path::Path::new("/run/.containerenv").exists();
    let has = |program: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
    };
    let install = [
        ("apt-get", "apt-get install -y mesa-vulkan-drivers libvulkan1"),
        ("dnf", "dnf install -y mesa-vulkan-drivers vulkan-loader"),
        ("pacman", "pacman -S --noconfirm vulkan-swrast vulkan-icd-loader"),
        ("zypper", "zypper install -y libvulkan_lvp libvulkan1"),
        ("apk", "apk add mesa-vulkan-swrast vulkan-loader"),
    ];
    let command = install
        .iter()
        .find(|(program, _)| has(program))
        .map_or("install a Vulkan driver and loader", |(_, command)| command);
    let flags = if container {
        "; in a container pass the GPU through (docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all, or --device /dev/dri)"
    } else {
        ""
    };
    format!("install the GPU's Vulkan driver, or a software one: `{command}`{flags}")
}
