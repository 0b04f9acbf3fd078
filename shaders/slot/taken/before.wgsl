//! Slot `taken`: the step that an agent takes. `advance.wgsl` has found it before.

@bind var<storage, read> mw_progress: array<MwProgress>;

fn mw_take(agent: u32, group: vec3<u32>, local: u32) -> MwTaken {
    let now = &mw_progress[agent];
    return MwTaken((*now).active_ != 0u, (*now).scale, vec2<f32>((*now).correction1, (*now).correction2), (*now).learning_rate);
}
