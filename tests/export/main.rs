//! Exported policies: onnxruntime, a C compiler and a shader of another program make of observations what this program makes of them,
//! on the host and on the device.

#[path = "../support/mod.rs"]
mod support;

mod agree;
mod cases;
mod programs;
mod ties;
