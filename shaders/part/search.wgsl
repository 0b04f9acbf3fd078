//! What methods that search without gradients have in common: perturbations, and what is known of a generation.
//!
//! Perturbation n of a generation is made of counter-based random numbers wherever it is wanted, and stored nowhere. Padding
//! of the parameters is never perturbed (`mw_mask`).

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_mask: array<vec4<f32>>;                  // [MW_ACTOR / 4] 1, padding 0
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4] actor, best member
@bind var<storage, read_write> mw_memory: array<vec4<f32>>;          // [agent][row][MW_ACTOR / 4] what a method keeps, and sums
@bind var<storage, read> mw_fitness: array<f32>;                     // [agent][member]
@bind var<storage, read> mw_order: array<u32>;                       // [agent][order, twice the mean rank][number]
@bind var<storage, read> mw_standing: array<MwStanding>;             // [agent]

/// A term of the sums over a generation: the perturbation that it is of, its weight, and what else a method counts of it.
struct MwTerm { n: u32, weight: f32, own: vec2<f32> }

/// Vec4 `at` of the actor: the mean of the distribution, or whatever a method searches around.
fn mw_actor(agent: u32, at: u32) -> vec4<f32> { return mw_parameters[agent * MW_PARAMETERS / 4u + at]; }

/// Where vec4 `at` of a row of what the method keeps lies.
fn mw_kept_at(agent: u32, row: u32, at: u32) -> u32 { return (agent * mw_search.rows + row) * (MW_ACTOR / 4u) + at; }

fn mw_fitness_of(agent: u32, member: u32) -> f32 { return mw_fitness[agent * mw_search.population + member]; }

/// The member, or the pair, of a rank.
fn mw_of_rank(agent: u32, rank: u32) -> u32 { return mw_order[2u * agent * mw_search.population + rank]; }

/// Twice the mean rank of a member, or a pair, and of its equals.
fn mw_twice_rank_of(agent: u32, number: u32) -> u32 { return mw_order[(2u * agent + 1u) * mw_search.population + number]; }

/// Where vec4 `at` of a sum over the generation lies (`weigh.wgsl`): behind what is kept.
fn mw_sum_at(agent: u32, row: u32, at: u32) -> u32 { return mw_kept_at(agent, mw_search.rows - MW_SUMS + row, at); }
fn mw_sum(here: MwPlace, row: u32) -> vec4<f32> { return mw_memory[mw_sum_at(here.agent, row, here.at)]; }

/// What random words of this generation are drawn by: the agent's seed, and the generation.
fn mw_drawn(agent: u32) -> vec2<u32> { return vec2<u32>(mw_progress[agent].seed, mw_progress[agent].update); }

/// Random words for something with a number, at one vec4 of the parameters.
fn mw_search_words(drawn: vec2<u32>, n: u32, at: u32) -> vec4<u32> {
    return mw_philox(vec4<u32>(n, at, MW_PURPOSE_PERTURBATION, drawn.y), vec2<u32>(drawn.x, MW_STREAM_TRAINING));
}

/// Vec4 `at` of perturbation n: standard normal numbers, in padding too.
fn mw_noise(drawn: vec2<u32>, n: u32, at: u32) -> vec4<f32> { return mw_normals(mw_search_words(drawn, n, at)); }

/// One vec4 of an agent's parameters, with all that members are made of there: fetched once for many of them.
struct MwPlace {
    agent: u32,
    at: u32,
    drawn: vec2<u32>,
    actor: vec4<f32>,
    kept: vec4<f32>,      // the first row of what is kept
    mask: vec4<f32>,
}

fn mw_place(agent: u32, at: u32) -> MwPlace {
    return MwPlace(agent, at, mw_drawn(agent), mw_actor(agent, at), mw_memory[mw_kept_at(agent, 0u, at)], mw_mask_at(at));
}

/// Perturbation n at a place, 0 in padding.
fn mw_perturbation(here: MwPlace, n: u32) -> vec4<f32> { return mw_noise(here.drawn, n, here.at) * here.mask; }

/// The perturbation of a member of a mirrored pair.
fn mw_mirrored(here: MwPlace, m: u32) -> vec4<f32> {
    return mw_perturbation(here, m / 2u) * select(1.0, -1.0, m % 2u == 1u);
}
