//! What the tests of the f64 reference share: tolerances, seeded inputs, gradients by differences.

#![allow(dead_code)] // every integration test compiles its own copy and uses a part of it

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

pub fn with_parameters(mlp: &Mlp, parameters: &[f64]) -> Mlp {
    Mlp { parameters: parameters.to_vec(), ..mlp.clone() }
}
