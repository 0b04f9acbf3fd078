//! Slot `taken`: the step that an agent takes. Every workgroup finds it for itself, and the first one moves the progress on.

fn mw_take(agent: u32, group: vec3<u32>, local: u32) -> MwTaken {
    mw_join_norm(agent, local);
    if group.x + group.y == 0u { mw_move_on(agent, local); }
    let before = &mw_progress_before[agent];
    let corrections =
        vec2<f32>(mw_corrected((*before).correction1, mw_run.decay1), mw_corrected((*before).correction2, mw_run.decay2));
    return MwTaken((*before).stopped == 0u, mw_scale(agent), corrections, (*before).learning_rate);
}
