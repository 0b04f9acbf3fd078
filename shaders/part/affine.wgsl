//! The algebra of recursions over time, x_next = a x + b, component by component (slot `recursion` says what `Along` is).

struct MwAffine { a: Along, b: Along }

fn mw_identity() -> MwAffine { return MwAffine(Along(1.0), Along(0.0)); }

fn mw_apply(f: MwAffine, x: Along) -> Along { return f.b + f.a * x; }

/// First `inner`, then `outer`.
fn mw_combine(outer: MwAffine, inner: MwAffine) -> MwAffine {
    return MwAffine(outer.a * inner.a, outer.b + outer.a * inner.b);
}

/// What a step does to x, and what it wants to see again when x is there.
struct MwLink { along: MwAffine, kept: vec2<f32> }
