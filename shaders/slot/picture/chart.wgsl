//! Slot `picture`: a world is a chart of what it observes: up to MW_BARS numbers as bars on a line of 0, the first on the left, more
//! of them as the cells of a square, by rows. Each number is scaled by the largest that any world has shown of it
//! (`ranges.wgsl`); positive ones are orange, negative ones blue, and one that is not finite red.

@bind var<storage, read> mw_observations: array<f32>;   // [feature][world]
@bind var<storage, read> mw_ranges: array<vec2<f32>>;   // [feature] least and greatest

/// Most numbers that are bars.
const MW_BARS = 24u;

alias MwCanvas = u32;   // the world

fn mw_canvas(world: u32) -> MwCanvas { return world; }

fn mw_is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

/// The colour of a place of the tile.
fn mw_colour(world: MwCanvas, p: vec2<f32>) -> vec3<f32> {
    let many = MW_OBSERVATIONS > MW_BARS;
    let across = select(MW_OBSERVATIONS, u32(ceil(sqrt(f32(MW_OBSERVATIONS)))), many);
    let down = select(1u, (MW_OBSERVATIONS + across - 1u) / across, many);
    let x = 0.5 * (p.x + 1.0) * f32(across);
    let y = 0.5 * (1.0 - p.y) * f32(down);
    let feature = min(u32(y), down - 1u) * across + min(u32(x), across - 1u);
    let paper = vec3<f32>(0.97, 0.97, 0.96);
    if feature >= MW_OBSERVATIONS { return paper; }
    let value = mw_observations[feature * mw_picture.worlds + world];
    let range = mw_ranges[feature];
    let size = max(max(-range.x, range.y), 1e-30);
    let share = select(clamp(value / size, -1.0, 1.0), 1.0, !mw_is_finite(value));
    let strong = select(vec3<f32>(0.27, 0.51, 0.78), vec3<f32>(0.93, 0.52, 0.18), share >= 0.0);
    let colour = select(vec3<f32>(0.85, 0.1, 0.15), strong, mw_is_finite(value));
    if many { return paper + abs(share) * (colour - paper); }
    // a bar between 0 and its value, with room on both sides
    let height = 0.9 * share;
    let edge = max(min(height, 0.0) - p.y, p.y - max(height, 0.0)) / mw_picture.pixel;
    let middle = abs(fract(x) - 0.5) < 0.4;
    let bar = select(0.0, clamp(0.5 - edge, 0.0, 1.0), middle);
    let line = clamp(1.0 - abs(p.y) / mw_picture.pixel, 0.0, 1.0);
    return mix(mix(paper, vec3<f32>(0.6), line), colour, bar);
}
