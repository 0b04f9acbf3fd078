//! The compiler of a Vulkan driver, and what it says of its work. All unsafe code of this program is here.
//!
//! Nothing is destroyed: the process ends when everything is compiled.

#![allow(unsafe_code)]

use crate::spirv::{ENTRY_POINT, Module};
use ash::{Device, Entry, khr, vk};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};

/// What a driver says of a kernel, by the driver's own names.
pub type Statistics = BTreeMap<String, f64>;

/// Threads that run together, among what the drivers themselves say.
pub const SUBGROUP_SIZE: &str = "Subgroup size";

/// A device of the first driver that the loader finds.
pub struct Compiler {
    device: Device,
    executables: khr::pipeline_executable_properties::Device,
    says: String,
    // holds the library in memory
    _entry: Entry,
}

impl Compiler {
    /// With the features that wgpu asks for where a kernel's machine code depends on them.
    pub fn open() -> Result<Self, String> {
        let told = |what: &'static str| move |error: vk::Result| format!("{what}: {error}");
        // SAFETY: libvulkan has no requirement on who loads it.
        let entry = unsafe { Entry::load() }.map_err(|error| format!("no Vulkan loader: {error}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: here and below, handles come from the calls above, are of one device, and are never destroyed; what is
        // pointed to outlives the call.
        let instance = unsafe { entry.create_instance(&info, None) }.map_err(told("vkCreateInstance"))?;
        let devices = unsafe { instance.enumerate_physical_devices() }.map_err(told("vkEnumeratePhysicalDevices"))?;
        let &physical = devices.first().ok_or("the driver has no device")?;

        let mut driver = vk::PhysicalDeviceDriverProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
        unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
        let about = properties.properties;
        let text = |words: Result<&CStr, _>| words.map_or(String::new(), |words| words.to_string_lossy().into_owned());
        // one without a GPU may have half a name
        let name = text(about.device_name_as_c_str());
        let says = format!("{}, {}", name.trim(), text(driver.driver_info_as_c_str()));
        if about.api_version < vk::API_VERSION_1_3 {
            return Err(format!("{says}: no Vulkan 1.3"));
        }

        let mut statistics = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default();
        let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default();
        let mut has = vk::PhysicalDeviceFeatures2::default().push_next(&mut statistics).push_next(&mut robust);
        unsafe { instance.get_physical_device_features2(physical, &mut has) };
        if statistics.pipeline_executable_info == vk::FALSE || robust.robust_buffer_access2 == vk::FALSE {
            return Err(format!("{says}: no statistics of pipelines or no robustBufferAccess2"));
        }
        let mut statistics =
            vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default().pipeline_executable_info(true);
        let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
        let mut since_1_3 =
            vk::PhysicalDeviceVulkan13Features::default().subgroup_size_control(true).robust_image_access(true);
        let wanted = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
        let extensions = [khr::pipeline_executable_properties::NAME.as_ptr(), ash::ext::robustness2::NAME.as_ptr()];
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .enabled_features(&wanted)
            .push_next(&mut statistics)
            .push_next(&mut robust)
            .push_next(&mut since_1_3);
        let device = unsafe { instance.create_device(physical, &info, None) }.map_err(told("vkCreateDevice"))?;
        let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
        Ok(Self { device, executables, says, _entry: entry })
    }

    /// Name of the device, and version of the driver.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Compiles a kernel; from any thread.
    pub fn compile(&self, kernel: &Module) -> Result<Statistics, String> {
        let told = |what: &'static str| move |error: vk::Result| format!("{what}: {error}");
        let binding = |kind| {
            move |&number: &u32| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(number)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            }
        };
        let uniforms = kernel.uniforms.iter().map(binding(vk::DescriptorType::UNIFORM_BUFFER));
        let storage = kernel.storage.iter().map(binding(vk::DescriptorType::STORAGE_BUFFER));
        let bindings: Vec<_> = uniforms.chain(storage).collect();
        let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        // SAFETY: the words are a module that naga wrote and validated; for the rest see `open`. These calls may come from
        // several threads, as none of them gets an object that another one uses, except for the device.
        let set = unsafe { self.device.create_descriptor_set_layout(&info, None) }.map_err(told("set layout"))?;
        let sets = [set];
        let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        let layout = unsafe { self.device.create_pipeline_layout(&info, None) }.map_err(told("pipeline layout"))?;
        let info = vk::ShaderModuleCreateInfo::default().code(&kernel.words);
        let module = unsafe { self.device.create_shader_module(&info, None) }.map_err(told("shader module"))?;
        let entry_point = CString::new(ENTRY_POINT).map_err(|error| error.to_string())?;
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(&entry_point);
        let info = vk::ComputePipelineCreateInfo::default()
            .flags(vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR)
            .stage(stage)
            .layout(layout);
        let pipelines = unsafe { self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None) };
        let pipeline = pipelines.map_err(|(_, error)| format!("the driver does not compile it: {error}"))?[0];

        // A compute pipeline is one executable; where a driver makes several widths of it, the last is the widest.
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let executables = unsafe { self.executables.get_pipeline_executable_properties(&info) };
        let executables = executables.map_err(told("executables"))?;
        let last = executables.len().checked_sub(1).ok_or("the driver says nothing of it")?;
        let width = (SUBGROUP_SIZE.to_owned(), f64::from(executables[last].subgroup_size));
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(last as u32);
        let statistics = unsafe { self.executables.get_pipeline_executable_statistics(&info) };
        let statistics = statistics.map_err(told("statistics"))?;
        let named = |statistic: &vk::PipelineExecutableStatisticKHR| {
            type Format = vk::PipelineExecutableStatisticFormatKHR;
            let name = statistic.name_as_c_str().ok()?.to_string_lossy().into_owned();
            // SAFETY: the format says which of them the driver wrote.
            let value = unsafe {
                match statistic.format {
                    Format::BOOL32 => f64::from(statistic.value.b32),
                    Format::INT64 => statistic.value.i64 as f64,
                    Format::UINT64 => statistic.value.u64 as f64,
                    _ => statistic.value.f64,
                }
            };
            Some((name, value))
        };
        Ok(statistics.iter().filter_map(named).chain([width]).collect())
    }
}
