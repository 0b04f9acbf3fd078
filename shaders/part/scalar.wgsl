//! A positive number x that an agent learns by its logarithm, beside its networks: a step of Adam.
//!
//!   log x ← log x − rate · m̂ / (√v̂ + ε)
//!
//! Reference: src/reference/adam.rs.

fn mw_scalar_after(scalar: MwScalar, gradient: f32, rate: f32) -> MwScalar {
    var after = scalar;
    after.m += mw_run.decay1 * (gradient - after.m);
    after.v += mw_run.decay2 * (gradient * gradient - after.v);
    let direction = (after.m / after.correction1) / (sqrt(after.v / after.correction2) + mw_run.optimizer_eps);
    after.log -= rate * direction;
    after.value = exp_(after.log);
    after.correction1 += (1.0 - after.correction1) * mw_run.decay1;
    after.correction2 += (1.0 - after.correction2) * mw_run.decay2;
    return after;
}
