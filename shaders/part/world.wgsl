//! The worlds of an agent: environment state and episode accumulators, one word after another.
//!
//! `mw_world` is [agent][vec4][world]; the words of `State` come first (load and store are generated from its fields), then
//! the words below. Rewards and returns are in the environment's own units; returns are summed in two words (part/sum.wgsl).
//! Which of them are unsound, and which loop was cut short, is noted beside them (part/sound.wgsl).

@bind var<storage, read_write> mw_world: array<vec4<u32>>;

struct MwWorld {
    state: State,
    fault: vec4<u32>,      // what was unsound first, see part/sound.wgsl
    episode_return: MwSum, // of the rewards since the reset
    episode_length: u32,   // steps since the reset
    steps: u32,            // steps since the start of the run
    begun: u32,            // episodes begun since then
    episodes: MwEpisodes,  // that ended in this rollout
}

struct MwEpisodes { count: f32, returns: MwSum, lengths: f32, terminated: f32 }

fn mw_world_load(agent: u32, world: u32, count: u32) -> MwWorld {
    let at = agent * MW_WORLD_VECTORS * count + world;
    let fault = mw_world[at + MW_STATE_VECTORS * count];
    let running = mw_world[at + (MW_STATE_VECTORS + 1u) * count];
    let low = bitcast<vec4<f32>>(mw_world[at + (MW_STATE_VECTORS + 2u) * count]);
    let ended = bitcast<vec4<f32>>(mw_world[at + (MW_STATE_VECTORS + 3u) * count]);
    return MwWorld(mw_state_load(at, count), fault, MwSum(bitcast<f32>(running.x), low.x), running.y, running.z, running.w,
        MwEpisodes(ended.x, MwSum(ended.y, low.y), ended.z, ended.w));
}

fn mw_world_store(agent: u32, world: u32, count: u32, value: MwWorld) {
    let at = agent * MW_WORLD_VECTORS * count + world;
    mw_state_store(at, count, value.state);
    mw_world[at + MW_STATE_VECTORS * count] = mw_fault_of_loops(value.fault);
    mw_world[at + (MW_STATE_VECTORS + 1u) * count] =
        vec4<u32>(bitcast<u32>(value.episode_return.high), value.episode_length, value.steps, value.begun);
    let ended = value.episodes;
    mw_world[at + (MW_STATE_VECTORS + 2u) * count] =
        bitcast<vec4<u32>>(vec4<f32>(value.episode_return.low, ended.returns.low, 0.0, 0.0));
    mw_world[at + (MW_STATE_VECTORS + 3u) * count] =
        bitcast<vec4<u32>>(vec4<f32>(ended.count, ended.returns.high, ended.lengths, ended.terminated));
}

/// Episodes of this rollout that were truncated, and not terminated.
fn mw_world_truncations(world: MwWorld) -> u32 { return u32(world.episodes.count - world.episodes.terminated); }

/// First state of the episode that begins after `begun` others: known before the one before it has ended.
fn mw_first_state(key: vec2<u32>, world: u32, begun: u32) -> State {
    var rng = mw_rng(key, world, begun, MW_PURPOSE_RESET);
    mw_spins = 0u;
    return env_reset(&rng);
}

/// The first episode of a world.
fn mw_world_first(key: vec2<u32>, world: u32) -> MwWorld {
    return MwWorld(mw_first_state(key, world, 0u), vec4<u32>(0u), MwSum(), 0u, 0u, 1u, MwEpisodes());
}

/// The world after the ending of an episode, with this first state of the next; the episode is counted.
fn mw_world_next(old: MwWorld, ending: u32, first: State) -> MwWorld {
    let ended = old.episodes;
    return MwWorld(first, old.fault, MwSum(), 0u, old.steps, old.begun + 1u, MwEpisodes(ended.count + 1.0,
        mw_sum_add(ended.returns, mw_sum_of(old.episode_return)), ended.lengths + f32(old.episode_length),
        ended.terminated + f32(ending & MW_TERMINATED)));
}

/// How a step ended: MW_TERMINATED and MW_TRUNCATED can both be set; terminated wins.
struct MwStep { reward: f32, ending: u32 }

fn mw_world_step(world: ptr<function, MwWorld>, action: Action, key: vec2<u32>, index: u32) -> MwStep {
    var rng = mw_rng(key, index, (*world).steps, MW_PURPOSE_STEP);
    var state = (*world).state;
    mw_spins = 0u;
    let outcome = env_step(&state, action, &rng);
    (*world).state = state;
    (*world).episode_return = mw_sum_add((*world).episode_return, outcome.reward);
    (*world).episode_length += 1u;
    (*world).steps += 1u;
    let at_limit = (MAX_EPISODE_STEPS > 0u) & ((*world).episode_length >= MAX_EPISODE_STEPS);
    return MwStep(outcome.reward,
        select(0u, MW_TERMINATED, outcome.terminated) | select(0u, MW_TRUNCATED, at_limit));
}
