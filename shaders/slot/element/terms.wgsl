//! Slot `element`: the eight sums of the objectives' terms.

alias Element = mat2x4<f32>;
fn mw_identity() -> Element { return Element(vec4<f32>(0.0), vec4<f32>(0.0)); }
fn mw_combine(a: Element, b: Element) -> Element { return a + b; }
