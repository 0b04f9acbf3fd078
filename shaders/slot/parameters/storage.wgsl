//! Slot `parameters`: of any number and size.

@bind var<storage, read> mw_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4]
