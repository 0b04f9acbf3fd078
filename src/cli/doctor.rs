//! `manyworlds doctor`

use super::AdapterArgument;
use super::say::print;
use crate::check::self_test;
use crate::cli::ExitCode;
use crate::gpu::{AdapterChoice, adapters, missing_driver_hint};
use crate::{Error, Result};

#[derive(clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Doctor {
    pub fn run(self) -> Result<ExitCode> {
        let all = adapters();
        if all.is_empty() {
            return Err(Error::NoAdapter { hint: missing_driver_hint() });
        }
        print(format_args!("adapters, best first (discrete, integrated, virtual, software):"))?;
        for (index, adapter) in all.iter().enumerate() {
            let (info, limits) = (adapter.get_info(), adapter.limits());
            print(format_args!("  {index}  {} ({:?}, {})", info.name, info.device_type, info.backend))?;
            print(format_args!("     driver: {} {}", info.driver, info.driver_info))?;
            print(format_args!(
                "     limits: {} MiB a binding, {} storage buffers, {} KiB workgroup memory, {} invocations a workgroup",
                limits.max_storage_buffer_binding_size >> 20,
                limits.max_storage_buffers_per_shader_stage,
                limits.max_compute_workgroup_storage_size >> 10,
                limits.max_compute_invocations_per_workgroup,
            ))?;
            let features = adapter.features();
            let has =
                |feature, name: &str| if features.contains(feature) { name.to_owned() } else { format!("no {name}") };
            print(format_args!(
                "     features: {} (sizes {} to {}), {}, {}",
                has(wgpu::Features::SUBGROUP, "subgroups"),
                info.subgroup_min_size,
                info.subgroup_max_size,
                has(wgpu::Features::TIMESTAMP_QUERY, "timestamps"),
                has(wgpu::Features::SHADER_F16, "f16"),
            ))?;
        }
        let gpu = self.adapter.open(0)?;
        let why = match &self.adapter.adapter {
            AdapterChoice::Auto => format!("the first of the best kind present, {:?}", gpu.info().device_type),
            other => format!("asked for by --adapter {other}"),
        };
        print(format_args!("chosen: {} ({why})", gpu.info().name))?;
        print(format_args!("form of the kernels: {}", gpu.form()))?;
        if gpu.form_for(0) != gpu.form() {
            print(format_args!("for short work: {}", gpu.form_for(0)))?;
        }
        let mut all_ok = true;
        for finding in self_test(&gpu)? {
            print(format_args!("{} {}: {}", if finding.ok { "ok  " } else { "FAIL" }, finding.name, finding.detail))?;
            all_ok &= finding.ok;
        }
        Ok(ExitCode::from(u8::from(!all_ok)))
    }
}
