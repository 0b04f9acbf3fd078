//! How the project is put together: modules, shaders without a device, plans.

#[path = "../support/mod.rs"]
mod support;

mod growth;
mod modules;
mod plan;
mod shaders;
