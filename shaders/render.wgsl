//! A picture of many worlds, a square tile for each, from what lies on the device. One thread = up to MW_DRAWN pixels of a tile, one
//! below the other, for which a world is loaded once; neighbouring threads draw neighbouring columns.
//!
//! A place of a tile is p, from −1 to 1 in x and y, y upwards; the slot `picture` says what colour is there. Between tiles lies
//! a dark gap. A world whose last step ended its episode has a frame: amber where the environment ended it, blue where the step
//! limit did.

@bind var<storage, read> mw_endings: array<u32>;          // [world] MW_TERMINATED, MW_TRUNCATED
@bind var<storage, read_write> mw_pixels: array<u32>;     // [row][column] red, green, blue and 255, a byte each, red the lowest

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let tile = mw_picture.tile;
    let side = tile - mw_picture.gap;
    let width = mw_picture.columns * tile;
    let strips = (tile + MW_DRAWN - 1u) / MW_DRAWN;
    let x = thread.index % width;
    let strip = thread.index / width;
    let row = strip / strips;
    if row >= mw_picture.rows { return; }
    let world = row * mw_picture.columns + x / tile;
    let there = world < mw_picture.worlds;
    let canvas = mw_canvas(min(world, mw_picture.worlds - 1u));
    let ending = mw_endings[min(world, mw_picture.worlds - 1u)] & (MW_TERMINATED | MW_TRUNCATED);
    let frame = select(0u, max(side / 20u, 1u), ending != 0u);
    let mark = select(vec3<f32>(0.25, 0.5, 0.95), vec3<f32>(0.98, 0.6, 0.05), (ending & MW_TERMINATED) != 0u);
    let column = x % tile;
    let first = strip % strips * MW_DRAWN;
    let end = min(first + MW_DRAWN, tile);
    for (var y = first; y < end; y++) {
        let p = vec2<f32>(mw_picture.pixel * (f32(column) + 0.5) - 1.0, 1.0 - mw_picture.pixel * (f32(y) + 0.5));
        var colour = mw_colour(canvas, p);
        let edge = min(min(column, y), side - 1u - min(max(column, y), side - 1u));
        colour = select(colour, mark, edge < frame);
        colour = select(vec3<f32>(0.13, 0.14, 0.16), colour, there & (max(column, y) < side));
        let bytes = vec3<u32>(255.0 * clamp(colour, vec3<f32>(0.0), vec3<f32>(1.0)) + vec3<f32>(0.5));
        mw_pixels[(row * tile + y) * width + x] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | 0xff000000u;
    }
}
