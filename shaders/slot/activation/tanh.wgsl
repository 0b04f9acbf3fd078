//! Slot `activation`: tanh as x · P(x²) / Q(x²), |error| ≤ 3.5e-7, arguments held to ±8.1 where 1 − tanh < 2e-7.
//! Minimax fit by iteratively reweighted least squares; a third cheaper than the form with exp.
//!
//!   y = tanh x      dy/dx = 1 − y²

fn mw_activation(x: Lane) -> Lane {
    let c = mw_limited(x, Lane(8.1));
    let z = c * c;
    var p = fma(z, Lane(1.487362882e-8), Lane(2.164854763e-5));
    p = fma(p, z, Lane(3.556906446e-3));
    p = fma(p, z, Lane(1.343216495e-1));
    p = fma(p, z, Lane(9.999999664e-1));
    var q = fma(z, Lane(8.380241326e-7), Lane(3.387116709e-4));
    q = fma(q, z, Lane(2.610869016e-2));
    q = fma(q, z, Lane(4.676548431e-1));
    q = fma(q, z, Lane(1.0));
    return c * p / q;
}

/// dy/dx from y.
fn mw_d_activation(y: Lane) -> Lane { return Lane(1.0) - y * y; }
