//! Search without gradients: generations of members that play whole episodes.
//!
//! | | members | what they leave |
//! |---|---|---|
//! | `cem` | μ + s ε | mean and deviation of the elite |
//! | `es` | μ ± σ ε | a step along Σ (rank of one − rank of the other) ε, by an optimiser |
//! | `ars` | μ ± σ ε | a step along Σ (f₊ − f₋) ε of the best directions |
//! | `ga` | a parent + σ ε | the parents of the next |
//! | `pattern` | p ± step e_i | the best of them, or a smaller step |
//! | `random` | σ ε | the best that there ever was |

mod population;

pub use population::Population;

use crate::gpu::Recording;

/// One generation.
fn record(population: &Population) -> Recording {
    let mut update = Recording::default();
    population.play(&mut update); // members of the distribution; whole episodes; mean returns
    population.rank(&mut update); // best first
    population.recombine(&mut update); // the next distribution; the best member that there ever was
    population.finish(&mut update); // metrics
    update
}
