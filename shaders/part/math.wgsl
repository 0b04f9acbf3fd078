//! Elementary functions with the same accuracy on every adapter (WGSL promises sin and cos only to 2⁻¹¹, and
//! only in [−π, π]; a fast-math tanh overflows). Written once for vec4; the scalar forms use one component.
//!
//!   exp_  relative error ≤ 3e-7, argument held to [−87, 88]      log_  |error| ≤ 3e-7 · max(1, |log x|), x ≥ 2⁻¹²⁶
//!   sin_, cos_  |error| ≤ 3e-7 for |x| ≤ 8192                    tanh_ |error| ≤ 3e-7
//!   wrap_  angle in [−π, π] that differs by whole turns, |error| ≤ 1e-6 for |x| ≤ 8192
//!
//! Polynomials: S. L. Moshier, Cephes mathematical library, single precision (expf, logf, sinf, cosf, tanhf).
//! Reference: the f64 functions of the same names; test: tests/kernel/math.rs.

fn mw_exp4(x: vec4<f32>) -> vec4<f32> {
    let held = clamp(x, vec4<f32>(-87.0), vec4<f32>(88.0));
    let n = floor(fma(held, vec4<f32>(1.44269504), vec4<f32>(0.5)));
    // exact; held to its range, which keeps compilers from merging the two halves of ln 2
    let high = clamp(fma(n, vec4<f32>(-0.693359375), held), vec4<f32>(-0.5), vec4<f32>(0.5));
    let r = fma(n, vec4<f32>(2.12194440e-4), high);
    var p = fma(r, vec4<f32>(1.9875691500e-4), vec4<f32>(1.3981999507e-3));
    p = fma(p, r, vec4<f32>(8.3334519073e-3));
    p = fma(p, r, vec4<f32>(4.1665795894e-2));
    p = fma(p, r, vec4<f32>(1.6666665459e-1));
    p = fma(p, r, vec4<f32>(5.0000001201e-1));
    let power = bitcast<vec4<f32>>((vec4<i32>(n) + vec4<i32>(127)) << vec4<u32>(23u));
    return (fma(p, r * r, r) + vec4<f32>(1.0)) * power;
}

fn mw_log4(x: vec4<f32>) -> vec4<f32> {
    // x = m · 2^e with m in [√½, √2)
    let bits = bitcast<vec4<u32>>(x);
    let above = bits - vec4<u32>(0x3f3504f3u);
    let e = vec4<f32>(bitcast<vec4<i32>>(above) >> vec4<u32>(23u));
    let m = bitcast<vec4<f32>>((above & vec4<u32>(0x007fffffu)) + vec4<u32>(0x3f3504f3u)) - vec4<f32>(1.0);
    var p = fma(m, vec4<f32>(7.0376836292e-2), vec4<f32>(-1.1514610310e-1));
    p = fma(p, m, vec4<f32>(1.1676998740e-1));
    p = fma(p, m, vec4<f32>(-1.2420140846e-1));
    p = fma(p, m, vec4<f32>(1.4249322787e-1));
    p = fma(p, m, vec4<f32>(-1.6668057665e-1));
    p = fma(p, m, vec4<f32>(2.0000714765e-1));
    p = fma(p, m, vec4<f32>(-2.4999993993e-1));
    p = fma(p, m, vec4<f32>(3.3333331174e-1));
    let square = m * m;
    let tail = fma(e, vec4<f32>(-2.12194440e-4), fma(square, vec4<f32>(-0.5), p * m * square));
    return fma(e, vec4<f32>(0.693359375), m + tail);
}

/// (remainder in [−π/4, π/4], quadrant)
struct MwQuarter { r: vec4<f32>, quadrant: vec4<i32> }

fn mw_quarter(x: vec4<f32>) -> MwQuarter {
    let n = floor(fma(x, vec4<f32>(0.63661977), vec4<f32>(0.5)));
    // exact for |x| ≤ 8192; held to their ranges, which keeps compilers from merging the three parts of π/2
    let a = clamp(fma(n, vec4<f32>(-1.5703125), x), vec4<f32>(-4.0), vec4<f32>(4.0));
    let b = clamp(fma(n, vec4<f32>(-4.837512969970703125e-4), a), vec4<f32>(-1.0), vec4<f32>(1.0));
    return MwQuarter(fma(n, vec4<f32>(-7.54978995489188216e-8), b), vec4<i32>(n));
}

fn mw_wave(r: vec4<f32>, quadrant: vec4<i32>) -> vec4<f32> {
    let z = r * r;
    let s = fma(fma(fma(z, vec4<f32>(-1.9515295891e-4), vec4<f32>(8.3321608736e-3)), z, vec4<f32>(-1.6666654611e-1)) * z, r, r);
    let c = fma(fma(fma(z, vec4<f32>(2.443315711809948e-5), vec4<f32>(-1.388731625493765e-3)), z,
        vec4<f32>(4.166664568298827e-2)), z * z, fma(z, vec4<f32>(-0.5), vec4<f32>(1.0)));
    let wave = select(s, c, (quadrant & vec4<i32>(1)) == vec4<i32>(1));
    return select(wave, -wave, (quadrant & vec4<i32>(2)) == vec4<i32>(2));
}

fn mw_sin4(x: vec4<f32>) -> vec4<f32> { let q = mw_quarter(x); return mw_wave(q.r, q.quadrant); }
fn mw_cos4(x: vec4<f32>) -> vec4<f32> { let q = mw_quarter(x); return mw_wave(q.r, q.quadrant + vec4<i32>(1)); }

fn mw_tanh4(x: vec4<f32>) -> vec4<f32> {
    let size = abs(x);
    let z = x * x;
    var p = fma(z, vec4<f32>(-5.70498872745e-3), vec4<f32>(2.06390887954e-2));
    p = fma(p, z, vec4<f32>(-5.37397155531e-2));
    p = fma(p, z, vec4<f32>(1.33314422036e-1));
    p = fma(p, z, vec4<f32>(-3.33332819422e-1));
    let small = fma(p * z, x, x);
    let large = vec4<f32>(1.0) - vec4<f32>(2.0) / (mw_exp4(min(size, vec4<f32>(20.0)) * 2.0) + vec4<f32>(1.0));
    return select(select(-large, large, x > vec4<f32>(0.0)), small, size < vec4<f32>(0.625));
}

fn exp_(x: f32) -> f32 { return mw_exp4(vec4<f32>(x)).x; }
fn log_(x: f32) -> f32 { return mw_log4(vec4<f32>(x)).x; }
fn sin_(x: f32) -> f32 { return mw_sin4(vec4<f32>(x)).x; }
fn cos_(x: f32) -> f32 { return mw_cos4(vec4<f32>(x)).x; }
fn tanh_(x: f32) -> f32 { return mw_tanh4(vec4<f32>(x)).x; }

fn wrap_(angle: f32) -> f32 {
    let turns = floor(fma(angle, 0.15915494, 0.5));
    // 2π in three parts, the products of the first two exact; held to their ranges, so that no compiler merges them
    let a = clamp(fma(turns, -6.28125, angle), -8.0, 8.0);
    let b = clamp(fma(turns, -1.93500518798828125e-3, a), -4.0, 4.0);
    let rest = fma(turns, -3.01991598195675e-7, b);
    // rounding may leave it just outside
    return select(rest, rest - sign(rest) * 6.2831853, abs(rest) > 3.1415927);
}
