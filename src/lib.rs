//! Massively parallel reinforcement learning in WGSL compute shaders, on any Vulkan, Metal or DX12 GPU.

pub mod error;
pub mod reference;
pub mod shader;

pub use error::{Error, Result};
