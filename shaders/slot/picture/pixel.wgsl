//! Slot `picture`: a world looks as its environment says (`env_pixel`).

alias MwCanvas = State;

fn mw_canvas(world: u32) -> MwCanvas { return mw_state_load(world, mw_picture.worlds); }

/// The colour of a place of the tile.
fn mw_colour(canvas: MwCanvas, p: vec2<f32>) -> vec3<f32> {
    mw_spins = 0u;
    return env_pixel(canvas, p);
}
