//! How the project is put together: modules, shaders without a device, plans.

#[path = "../programs/mod.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;

mod growth;
mod modules;
mod plan;
mod shaders;
