//! Natural gradients: tangents of a network, products with its policy's Fisher matrix, conjugate gradients.
//!
//! ```text
//!   u̇_{l+1} = f'(z_l) ⊙ (V_l u_l + c_l + W_l u̇_l)      u̇₀ = 0, the last layer without f'
//!   F v = mean over samples of Jᵀ M J v                J v: the outputs' tangent, M: the distribution's metric
//!       = Hessian of mean KL(old ‖ new) at the old parameters, times v
//! ```

use super::categorical;
use super::mlp::Mlp;

/// J v: the derivative of the outputs in direction `v` (flat, like the parameters); `activations` from [`Mlp::forward`].
pub fn tangent(mlp: &Mlp, activations: &[Vec<f64>], v: &[f64]) -> Vec<f64> {
    assert_eq!(v.len(), mlp.parameters.len(), "length of the direction");
    let layers = Mlp::layers(&mlp.widths);
    let mut tangent = vec![0.0; mlp.widths[0]];
    for (l, layer) in layers.iter().enumerate() {
        let above = (0..layer.outputs).map(|o| {
            let row = layer.weight + o * layer.inputs;
            let sum: f64 =
                (0..layer.inputs).map(|i| v[row + i] * activations[l][i] + mlp.parameters[row + i] * tangent[i]).sum();
            let slope = if l + 1 < layers.len() { mlp.activation.d_a_d_z(activations[l + 1][o]) } else { 1.0 };
            slope * (v[layer.bias + o] + sum)
        });
        tangent = above.collect();
    }
    tangent
}

/// M times a tangent of logits: p ⊙ (ż − p·ż).
pub fn categorical_metric(logits: &[f64], tangent: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = categorical::log_probs(logits).iter().map(|x| x.exp()).collect();
    let mean: f64 = p.iter().zip(tangent).map(|(p, t)| p * t).sum();
    p.iter().zip(tangent).map(|(p, t)| p * (t - mean)).collect()
}

/// M times a tangent of means and then logarithms of deviations: diag(1/σ², 2).
pub fn gaussian_metric(outputs: &[f64], tangent: &[f64]) -> Vec<f64> {
    let dims = outputs.len() / 2;
    let of_mean = |i: usize| tangent[i] * (-2.0 * outputs[dims + i]).exp();
    (0..dims).map(of_mean).chain(tangent[dims..].iter().map(|t| 2.0 * t)).collect()
}

/// F v, flat like the parameters, for a policy with this `metric` of its outputs; observations `[sample][feature]`.
pub fn product(mlp: &Mlp, observations: &[f64], metric: fn(&[f64], &[f64]) -> Vec<f64>, v: &[f64]) -> Vec<f64> {
    let samples = observations.len() / mlp.widths[0];
    let mut sum = vec![0.0; mlp.parameters.len()];
    for observation in observations.chunks_exact(mlp.widths[0]) {
        let activations = mlp.forward(observation);
        let outputs = &activations[activations.len() - 1];
        let (gradient, _) = mlp.backward(&activations, &metric(outputs, &tangent(mlp, &activations, v)));
        sum.iter_mut().zip(&gradient).for_each(|(s, g)| *s += g / samples as f64);
    }
    sum
}

/// Conjugate gradients (Hestenes & Stiefel 1952) for A x = b from x = 0: x, and ‖r‖² before the first and after every
/// iteration. Ends early where ‖r‖² ≤ `tolerance` · ‖b‖².
pub fn conjugate_gradients(
    product: impl Fn(&[f64]) -> Vec<f64>,
    b: &[f64],
    iterations: usize,
    tolerance: f64,
) -> (Vec<f64>, Vec<f64>) {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (mut x, mut r, mut p) = (vec![0.0; b.len()], b.to_vec(), b.to_vec());
    let mut squares = vec![dot(&r, &r)];
    for _ in 0..iterations {
        let rr = squares[squares.len() - 1];
        if rr <= tolerance * squares[0] {
            break;
        }
        let z = product(&p);
        let alpha = rr / dot(&p, &z);
        x.iter_mut().zip(&p).for_each(|(x, p)| *x += alpha * p);
        r.iter_mut().zip(&z).for_each(|(r, z)| *r -= alpha * z);
        squares.push(dot(&r, &r));
        let beta = squares[squares.len() - 1] / rr;
        p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + beta * *p);
    }
    (x, squares)
}
