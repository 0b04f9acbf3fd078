//! What `env_pixel` is given to draw with; lengths are those of a tile, which goes from −1 to 1. Coverage is the share of a pixel
//! that a shape covers, 0 to 1: edges are soft, and nothing is thinner than a pixel.
//!
//! The camera looks at (0, 0, 0) from a place about 9.6 away, x to the right, y away from it and z upwards, and sees what lies
//! within some 3 of the middle. Scale what is larger.

/// Side of a pixel.
fn pixel_size() -> f32 { return mw_picture.pixel; }

/// Coverage of a shape whose edge is this far away; below 0 is inside.
fn pixel_cover(distance_: f32) -> f32 { return clamp(0.5 - distance_ / mw_picture.pixel, 0.0, 1.0); }

/// Coverage of a disc.
fn pixel_disc(p: vec2<f32>, centre: vec2<f32>, radius: f32) -> f32 {
    return pixel_cover(length(p - centre) - max(radius, 0.5 * mw_picture.pixel));
}

/// Coverage of a circle as a line of this width.
fn pixel_ring(p: vec2<f32>, centre: vec2<f32>, radius: f32, width: f32) -> f32 {
    return pixel_cover(abs(length(p - centre) - radius) - 0.5 * max(width, mw_picture.pixel));
}

/// Coverage of a line of this width from a to b, with round ends.
fn pixel_line(p: vec2<f32>, a: vec2<f32>, b: vec2<f32>, width: f32) -> f32 {
    let along = b - a;
    let share = clamp(dot(p - a, along) / max(dot(along, along), 1e-12), 0.0, 1.0);
    return pixel_cover(length(p - a - share * along) - 0.5 * max(width, mw_picture.pixel));
}

/// Coverage of a box that reaches `half_size` from its centre on every side.
fn pixel_box(p: vec2<f32>, centre: vec2<f32>, half_size: vec2<f32>) -> f32 {
    let outside = abs(p - centre) - max(half_size, vec2<f32>(0.5 * mw_picture.pixel));
    return pixel_cover(length(max(outside, vec2<f32>(0.0))) + min(max(outside.x, outside.y), 0.0));
}

/// A colour with another over it where that covers it.
fn pixel_over(below: vec3<f32>, colour: vec3<f32>, coverage: f32) -> vec3<f32> {
    return below + clamp(coverage, 0.0, 1.0) * (colour - below);
}

/// p as a shape sees it that was turned anticlockwise by an angle about the middle.
fn pixel_turn(p: vec2<f32>, angle: f32) -> vec2<f32> {
    let c = cos_(angle);
    let s = sin_(angle);
    return vec2<f32>(c * p.x + s * p.y, c * p.y - s * p.x);
}

/// Where the camera stands.
fn pixel_eye() -> vec3<f32> { return vec3<f32>(mw_picture.eye_x, mw_picture.eye_y, mw_picture.eye_z); }

/// Where somebody looks, of length 1, who sees this place of the tile.
fn pixel_ray(p: vec2<f32>) -> vec3<f32> {
    let right = vec3<f32>(mw_picture.right_x, mw_picture.right_y, mw_picture.right_z);
    let up = vec3<f32>(mw_picture.up_x, mw_picture.up_y, mw_picture.up_z);
    let ahead = vec3<f32>(mw_picture.ahead_x, mw_picture.ahead_y, mw_picture.ahead_z);
    return normalize(mw_picture.zoom * ahead + p.x * right + p.y * up);
}

/// Where a place in space is seen (x, y), and how long a length of 1 is there (z; 0 or less behind the camera).
fn pixel_project(place: vec3<f32>) -> vec3<f32> {
    let from_eye = place - pixel_eye();
    let depth = dot(from_eye, vec3<f32>(mw_picture.ahead_x, mw_picture.ahead_y, mw_picture.ahead_z));
    let scale = mw_picture.zoom / select(min(depth, -1e-6), max(depth, 1e-6), depth > 0.0);
    return vec3<f32>(scale * dot(from_eye, vec3<f32>(mw_picture.right_x, mw_picture.right_y, mw_picture.right_z)),
        scale * dot(from_eye, vec3<f32>(mw_picture.up_x, mw_picture.up_y, mw_picture.up_z)), scale);
}

/// The place (x, y) of the level plane z = height that is seen at p, and its distance from the camera (z; below 0 where the
/// plane is not seen).
fn pixel_ground(p: vec2<f32>, height: f32) -> vec3<f32> {
    let eye = pixel_eye();
    let ray = pixel_ray(p);
    let far = (height - eye.z) / select(ray.z, -1e-6, abs(ray.z) < 1e-6);
    return vec3<f32>(eye.xy + far * ray.xy, far);
}
