//! A kernel as a GPU's driver gets it from wgpu 30.

use manyworlds::plan::KernelDescription;
use naga::back::{pipeline_constants::process_overrides, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, ShaderStage};
use serde::{Deserialize, Serialize};

/// Name of every kernel's entry point.
pub const ENTRY_POINT: &str = "mw_main";

/// A kernel as SPIR-V, and the binding numbers of its buffers.
#[derive(Serialize, Deserialize)]
pub struct Module {
    pub words: Vec<u32>,
    pub uniforms: Vec<u32>,
    pub storage: Vec<u32>,
}

/// With the options that wgpu-hal takes for a Vulkan 1.3 device that has robustBufferAccess2.
pub fn translate(kernel: &KernelDescription) -> Result<Module, String> {
    let told = |error: String| format!("kernel '{}' is no SPIR-V: {error}", kernel.name);
    let module = naga::front::wgsl::parse_str(&kernel.wgsl).map_err(|error| told(error.to_string()))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP)
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(&module)
        .map_err(|error| told(error.to_string()))?;
    let values = kernel.overrides.iter().map(|(name, value)| (name.clone(), *value)).collect();
    let (module, info) = process_overrides(&module, &info, Some((ShaderStage::Compute, ENTRY_POINT)), &values)
        .map_err(|error| told(error.to_string()))?;
    let options = spv::Options {
        lang_version: (1, 6),
        bounds_check_policies: BoundsCheckPolicies { index: BoundsCheckPolicy::Restrict, ..Default::default() },
        // what `src/gpu/kernel.rs` asks for
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        ..Default::default()
    };
    let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: ENTRY_POINT.to_owned() };
    let words = spv::write_vec(&module, &info, &options, Some(&entry)).map_err(|error| told(error.to_string()))?;
    let bindings = |wanted: fn(AddressSpace) -> bool| {
        let variables = module.global_variables.iter().filter(|(_, variable)| wanted(variable.space));
        variables.filter_map(|(_, variable)| Some(variable.binding?.binding)).collect()
    };
    Ok(Module {
        words,
        uniforms: bindings(|space| space == AddressSpace::Uniform),
        storage: bindings(|space| matches!(space, AddressSpace::Storage { .. })),
    })
}
