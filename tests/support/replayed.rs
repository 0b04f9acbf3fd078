//! Plans that were printed, run by wgpu alone.

#![allow(clippy::unwrap_used)] // a test may panic

use super::ok;
use manyworlds::gpu::{Gpu, Recording};
use manyworlds::wgpu;
use serde_json::Value;
use std::collections::HashMap;

/// What is in buffers of a plan.
pub struct Replayed {
    /// By their names in a state.
    pub kept: HashMap<String, Vec<u8>>,
    /// Those of a role, joined, by its name.
    pub roles: HashMap<String, Vec<u8>>,
}

/// Runs recordings of a plan that was printed, one after the other.
pub fn replayed(gpu: &Gpu, plan: &Value, names: &[&str]) -> Replayed {
    let (device, queue) = (gpu.device(), gpu.queue());
    let list = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
    let number = |value: &Value| value.as_u64().unwrap();
    let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let buffers: Vec<wgpu::Buffer> = list(plan, "buffers")
        .iter()
        .map(|buffer| {
            let kind = if buffer["uniform"].as_bool().unwrap() {
                wgpu::BufferUsages::UNIFORM
            } else {
                wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE
            };
            let made = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: number(&buffer["bytes"]),
                usage: usage | kind,
                mapped_at_creation: false,
            });
            if let Some(words) = buffer["words"].as_array() {
                let words: Vec<u32> = words.iter().map(|word| number(word) as u32).collect();
                queue.write_buffer(&made, 0, bytemuck::cast_slice(&words));
            }
            made
        })
        .collect();
    let kernels = list(plan, "kernels");
    let pipelines: Vec<_> = kernels.iter().map(|kernel| pipeline(device, kernel)).collect();
    let passes: Vec<_> = list(plan, "passes")
        .iter()
        .map(|pass| {
            let kernel = number(&pass["kernel"]) as usize;
            let bound = pass["buffers"].as_object().unwrap();
            let entries: Vec<_> = bound
                .iter()
                .map(|(name, buffer)| wgpu::BindGroupEntry {
                    binding: number(&kernels[kernel]["bindings"][name]) as u32,
                    resource: buffers[number(buffer) as usize].as_entire_binding(),
                })
                .collect();
            let layout = pipelines[kernel].get_bind_group_layout(0);
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &layout,
                entries: &entries,
            });
            let groups: Vec<u32> = list(pass, "groups").iter().map(|n| number(n) as u32).collect();
            (kernel, group, groups)
        })
        .collect();
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let recording = |name: &&str| {
        let found = list(plan, "recordings").into_iter().find(|recording| recording["name"] == *name).unwrap();
        list(&found, "passes").iter().map(|pass| number(pass) as usize).collect::<Vec<_>>()
    };
    for pass in names.iter().flat_map(recording) {
        let (kernel, group, groups) = &passes[pass];
        let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        compute.set_pipeline(&pipelines[*kernel]);
        compute.set_bind_group(0, group, &[]);
        compute.dispatch_workgroups(groups[0], groups[1], groups[2]);
    }
    queue.submit([encoder.finish()]);
    let kept = list(plan, "buffers").into_iter().zip(&buffers);
    let kept = kept.filter_map(|(buffer, made)| Some((buffer["kept"].as_str()?.to_owned(), bytes(gpu, made))));
    let roles = plan["roles"].as_object().unwrap().iter().map(|(role, places)| {
        let places = places.as_array().unwrap().iter();
        (role.clone(), places.flat_map(|place| bytes(gpu, &buffers[number(place) as usize])).collect())
    });
    Replayed { kept: kept.collect(), roles: roles.collect() }
}

fn pipeline(device: &wgpu::Device, kernel: &Value) -> wgpu::ComputePipeline {
    let source = wgpu::ShaderSource::Wgsl(kernel["wgsl"].as_str().unwrap().into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let overrides = kernel["overrides"].as_object().unwrap();
    let constants: Vec<(&str, f64)> =
        overrides.iter().map(|(name, value)| (name.as_str(), value.as_f64().unwrap())).collect();
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("mw_main"),
        compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
        cache: None,
    })
}

/// What is in a buffer.
pub fn bytes(gpu: &Gpu, buffer: &wgpu::Buffer) -> Vec<u8> {
    let read = ok(gpu.submit_and_read(&Recording::default(), &[buffer]));
    ok(read.wait(gpu)).take(0)
}
