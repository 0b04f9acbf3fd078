//! A sum of many numbers in two words, high + low, as if it had 48 bits: in one f32 200,000 × 0.1 is 0.2 % off.
//!
//!   s = h + x              e = what the rounding of s left      (Dekker 1971: the smaller term less what s took of it)
//!   h' = s + (e + l)       l' = what the rounding of h' left
//!
//! After n steps the sum is within n · 2⁻⁴⁷ of its largest partial sum, whatever order and signs the numbers have.
//!
//! To algebra e is 0, and a compiler that takes floats for real numbers may write that (Metal's fast math; Mesa turns
//! a + (b − a) into b). So both differences go through `mw_set_apart`. To algebra min(h + x, c) − h is not x: the sum may be
//! above c for all that a compiler knows, as the terms come from memory and go round a loop; no rule of real numbers takes
//! a minimum apart. c is the last but one f32 and not the last, at which an assumption of finite numbers would drop it.
//! What is held keeps its bits, so results are the same wherever additions are rounded to nearest.
//! A sum that is not finite stays so. Test: tests/kernel/sums.rs.

struct MwSum { high: f32, low: f32 }

fn mw_set_apart(x: f32) -> f32 { return min(x, 3.4028233e38); }

/// What the rounding of `sum` = larger + smaller left, |larger| ≥ |smaller|.
fn mw_rounding(sum: f32, larger: f32, smaller: f32) -> f32 {
    return smaller - mw_set_apart(mw_set_apart(sum) - larger);
}

fn mw_sum_add(old: MwSum, x: f32) -> MwSum {
    let sum = old.high + x;
    let ordered = abs(old.high) >= abs(x);
    let rest = old.low + mw_rounding(sum, select(x, old.high, ordered), select(old.high, x, ordered));
    let high = sum + rest;
    return MwSum(high, mw_rounding(high, sum, rest));
}

/// The sum, rounded to one word.
fn mw_sum_of(sum: MwSum) -> f32 { return sum.high + sum.low; }
