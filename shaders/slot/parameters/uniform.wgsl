//! Slot `parameters`: all of them in one uniform buffer, where they fit. llvmpipe fetches from it in straight code, but
//! from storage in a loop over lanes and components whose stores and loads wait for each other (7 ns a word).

@bind var<uniform> mw_parameters: array<vec4<f32>, MW_AGENTS * MW_PARAMETERS / 4u>;      // [agent][MW_PARAMETERS / 4]

/// Where the parameters of a thread's agent begin.
fn mw_parameters_of(thread: MwThread) -> u32 { return thread.agent * MW_PARAMETERS / 4u; }
fn mw_parameter(base: u32, at: u32) -> vec4<f32> { return mw_parameters[base + at]; }
