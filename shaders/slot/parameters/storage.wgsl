//! Slot `parameters`: of any number and size.

@bind var<storage, read> mw_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4]

/// Where the parameters of a thread's agent begin.
fn mw_parameters_of(thread: MwThread) -> u32 { return thread.agent * MW_PARAMETERS / 4u; }
fn mw_parameter(base: u32, at: u32) -> vec4<f32> { return mw_parameters[base + at]; }
