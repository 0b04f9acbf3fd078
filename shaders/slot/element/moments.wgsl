//! Slot `element`: (count, mean, sum of squared deviations, 0) of a set; ∘ joins two sets (Chan, Golub & LeVeque 1979).
//! Reference: src/reference/moments.rs.

alias Element = vec4<f32>;
fn mw_identity() -> Element { return Element(0.0); }
fn mw_single(x: f32) -> Element { return Element(1.0, x, 0.0, 0.0); }
fn mw_combine(a: Element, b: Element) -> Element {
    let count = a.x + b.x;
    let share = b.x / max(count, 1.0);
    let apart = b.y - a.y;
    return Element(count, fma(apart, share, a.y), a.z + b.z + apart * apart * a.x * share, 0.0);
}
