//! What the tests of the f64 reference share: tolerances, seeded inputs, gradients by differences.

#![allow(dead_code)] // every integration test compiles its own copy and uses a part of it

use crate::oracle::assert_close;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};

/// Agreement with `PyTorch`'s float64. Both sides sum some 10³ terms of size 1 in different orders,
/// half an ulp (1.1e-16) each: 1e-13, and ten times that where the sum cancels to nearly 0.
pub const RELATIVE: f64 = 1e-9;
pub const ABSOLUTE: f64 = 1e-12;

/// A number written with so many decimals is off by at most half a unit of the last.
pub fn printed(decimals: i32) -> f64 {
    0.5 * 10_f64.powi(-decimals)
}

/// Seeded inputs: uniform numbers, four to a Philox call.
pub struct Draw {
    seed: u32,
    count: u32,
}

impl Draw {
    pub fn new(seed: u32) -> Self {
        Self { seed, count: 0 }
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let words = philox4x32_10([self.count / 4, 0, 0, 0], [self.seed, 0]);
        let word = words[(self.count % 4) as usize];
        self.count += 1;
        low + (high - low) * uniform(word)
    }

    pub fn vector(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.between(low, high)).collect()
    }

    pub fn flags(&mut self, count: usize, share: f64) -> Vec<bool> {
        (0..count).map(|_| self.between(0.0, 1.0) < share).collect()
    }

    pub fn network(&mut self, widths: &[usize], activation: Activation) -> Mlp {
        Mlp { widths: widths.to_vec(), activation, parameters: self.vector(Mlp::parameter_count(widths), -1.0, 1.0) }
    }
}

/// Compares a gradient with central differences `D(h) = (f(x + h) − f(x − h)) / 2h`, h = 2⁻¹³.
///
/// Tolerance: D(h) is off by h² f'''/6, a third of `|D(2h) − D(h)|`; and by the rounding of f, taken
/// as 64 ulp of its size, over h. A tolerance above 1e-6 means that a kink lies within 2h: the drawn
/// inputs are no good, and the test says so.
pub fn assert_gradient(case: &str, gradient: &[f64], x: &[f64], f: impl Fn(&[f64]) -> f64) {
    assert_eq!(gradient.len(), x.len(), "{case}: length of the gradient");
    assert!(gradient.iter().any(|g| g.abs() > 1e-3), "{case}: the gradient is nothing");
    let h = 1.0 / 8192.0;
    let rounding = 64.0 * f64::EPSILON * f(x).abs().max(1.0) / h;
    for (i, g) in gradient.iter().enumerate() {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(&x)
        };
        let difference = |h: f64| (moved(h) - moved(-h)) / (2.0 * h);
        let (near, far) = (difference(h), difference(2.0 * h));
        let tolerance = (far - near).abs() + rounding;
        assert!(tolerance < 1e-6, "{case}[{i}]: a kink nearby, {near:e} and {far:e}");
        assert_close(&format!("{case}[{i}]"), &[*g], &[near], 0.0, tolerance);
    }
}

pub fn with_parameters(mlp: &Mlp, parameters: &[f64]) -> Mlp {
    Mlp { parameters: parameters.to_vec(), ..mlp.clone() }
}
