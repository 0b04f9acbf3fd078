//! How the project is put together: modules, shaders without a device, plans.

#[path = "../support/mod.rs"]
mod support;

mod modules;
mod plan;
mod shaders;
