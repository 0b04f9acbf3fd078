//! What methods that search without gradients have in common: perturbations, and what is known of a generation.
//!
//! Perturbation n of a generation is made of counter-based random numbers wherever it is wanted, and stored nowhere. Padding
//! of the parameters is never perturbed (`mw_mask`).

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_mask: array<vec4<f32>>;                  // [MW_ACTOR / 4] 1, padding 0
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4] actor, best member
@bind var<storage, read_write> mw_memory: array<vec4<f32>>;          // [agent][row][MW_ACTOR / 4] what a method keeps
@bind var<storage, read> mw_fitness: array<f32>;                     // [agent][member]
@bind var<storage, read> mw_order: array<u32>;                       // [agent][order, twice the mean rank][number]
@bind var<storage, read> mw_standing: array<MwStanding>;             // [agent]

/// Vec4 `at` of the actor: the mean of the distribution, or whatever a method searches around.
fn mw_actor(agent: u32, at: u32) -> vec4<f32> { return mw_parameters[agent * MW_PARAMETERS / 4u + at]; }

/// Where vec4 `at` of a row of what the method keeps lies.
fn mw_kept_at(agent: u32, row: u32, at: u32) -> u32 { return (agent * mw_search.rows + row) * (MW_ACTOR / 4u) + at; }

fn mw_fitness_of(agent: u32, member: u32) -> f32 { return mw_fitness[agent * mw_search.population + member]; }

/// The member, or the pair, of a rank.
fn mw_of_rank(agent: u32, rank: u32) -> u32 { return mw_order[2u * agent * mw_search.population + rank]; }

/// Twice the mean rank of a member, or a pair, and of its equals.
fn mw_twice_rank_of(agent: u32, number: u32) -> u32 { return mw_order[(2u * agent + 1u) * mw_search.population + number]; }

/// Random words for something with a number, at one vec4 of the parameters, in this generation.
fn mw_search_words(agent: u32, n: u32, at: u32) -> vec4<u32> {
    let key = vec2<u32>(mw_progress[agent].seed, MW_STREAM_TRAINING);
    return mw_philox(vec4<u32>(n, at, MW_PURPOSE_PERTURBATION, mw_progress[agent].update), key);
}

/// Vec4 `at` of perturbation n: standard normal numbers.
fn mw_perturbation(agent: u32, n: u32, at: u32) -> vec4<f32> { return mw_normals(mw_search_words(agent, n, at)) * mw_mask[at]; }

/// Vec4 `at` of the perturbation of a member of a mirrored pair.
fn mw_mirrored(agent: u32, m: u32, at: u32) -> vec4<f32> {
    return mw_perturbation(agent, m / 2u, at) * select(1.0, -1.0, m % 2u == 1u);
}
