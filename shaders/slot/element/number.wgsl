//! Slot `element`: one sum.

alias Element = f32;
fn mw_identity() -> Element { return 0.0; }
fn mw_combine(a: Element, b: Element) -> Element { return a + b; }
