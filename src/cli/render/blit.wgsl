// The picture in the middle of a window, as large as fits there.

struct Sizes { picture: vec2<u32>, window: vec2<u32>, linear: u32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;   // [row][column], red in the lowest byte

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(i / 2u) * 4.0 - 1.0, f32(i % 2u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn colour(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    let picture = vec2<f32>(sizes.picture);
    let window = vec2<f32>(sizes.window);
    let scale = min(window.x / picture.x, window.y / picture.y);
    let at = (place.xy - 0.5 * window) / scale + 0.5 * picture;
    let inside = all(at >= vec2<f32>(0.0)) && all(at < picture);
    let pixel = min(vec2<u32>(max(at, vec2<f32>(0.0))), sizes.picture - vec2<u32>(1u));
    let seen = unpack4x8unorm(pixels[pixel.y * sizes.picture.x + pixel.x]).xyz;
    // a surface that takes light, and not sRGB, turns it back
    let light = select(seen / 12.92, pow((seen + 0.055) / 1.055, vec3<f32>(2.4)), seen > vec3<f32>(0.04045));
    let shown = select(seen, light, sizes.linear != 0u);
    return vec4<f32>(select(vec3<f32>(0.02), shown, inside), 1.0);
}
