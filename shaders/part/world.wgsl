//! The worlds of an agent: environment state and episode accumulators, one word after another.
//!
//! `mw_world` is [agent][word][world]; the words of `State` come first (load and store are generated from its
//! fields), then the words below. Rewards and returns are in the environment's own units.

@bind var<storage, read_write> mw_world: array<u32>;

struct MwWorld {
    state: State,
    episode_return: f32,   // sum of the rewards since the reset
    episode_length: u32,   // steps since the reset
    steps: u32,            // steps since the start of the run
    begun: u32,            // episodes begun since then
    truncations: u32,      // final observations stored in this rollout
    episodes: vec4<f32>,   // (count, returns, lengths, terminated) of the episodes that ended in this rollout
}

fn mw_world_load(agent: u32, world: u32, count: u32) -> MwWorld {
    let at = agent * MW_WORLD_WORDS * count + world;
    let words = at + MW_STATE_WORDS * count;
    return MwWorld(mw_state_load(at, count), bitcast<f32>(mw_world[words]), mw_world[words + count],
        mw_world[words + 2u * count], mw_world[words + 3u * count], mw_world[words + 4u * count],
        mw_world_episodes(words + 5u * count, count));
}

fn mw_world_store(agent: u32, world: u32, count: u32, value: MwWorld) {
    let at = agent * MW_WORLD_WORDS * count + world;
    let words = at + MW_STATE_WORDS * count;
    mw_state_store(at, count, value.state);
    mw_world[words] = bitcast<u32>(value.episode_return);
    mw_world[words + count] = value.episode_length;
    mw_world[words + 2u * count] = value.steps;
    mw_world[words + 3u * count] = value.begun;
    mw_world[words + 4u * count] = value.truncations;
    @unroll for i in 0..4 { mw_world[words + (5u + i) * count] = bitcast<u32>(value.episodes[i]); }
}

fn mw_world_episodes(at: u32, count: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(mw_world[at], mw_world[at + count], mw_world[at + 2u * count], mw_world[at + 3u * count]));
}

/// First state of the episode that begins after `begun` others: known before the one before it has ended.
fn mw_first_state(key: vec2<u32>, world: u32, begun: u32) -> State {
    var rng = mw_rng(key, world, begun, MW_PURPOSE_RESET);
    mw_spins = 0u;
    return env_reset(&rng);
}

/// The first episode of a world.
fn mw_world_first(key: vec2<u32>, world: u32) -> MwWorld {
    return MwWorld(mw_first_state(key, world, 0u), 0.0, 0u, 0u, 1u, 0u, vec4<f32>(0.0));
}

/// The world after the ending of an episode, with this first state of the next; the episode is counted.
fn mw_world_next(old: MwWorld, ending: u32, first: State) -> MwWorld {
    let counted = vec4<f32>(1.0, old.episode_return, f32(old.episode_length), f32(ending & MW_TERMINATED));
    return MwWorld(first, 0.0, 0u, old.steps, old.begun + 1u, old.truncations, old.episodes + counted);
}

/// How a step ended: MW_TERMINATED and MW_TRUNCATED can both be set; terminated wins.
struct MwStep { reward: f32, ending: u32 }

fn mw_world_step(world: ptr<function, MwWorld>, action: Action, key: vec2<u32>, index: u32) -> MwStep {
    var rng = mw_rng(key, index, (*world).steps, MW_PURPOSE_STEP);
    var state = (*world).state;
    mw_spins = 0u;
    let outcome = env_step(&state, action, &rng);
    (*world).state = state;
    (*world).episode_return += outcome.reward;
    (*world).episode_length += 1u;
    (*world).steps += 1u;
    let at_limit = MAX_EPISODE_STEPS > 0u && (*world).episode_length >= MAX_EPISODE_STEPS;
    return MwStep(outcome.reward,
        select(0u, MW_TERMINATED, outcome.terminated) | select(0u, MW_TRUNCATED, at_limit));
}
