//! MW_SAMPLES worlds observe and act.

/// What the policy did: words of the actions, their log-probabilities, and the distributions.
struct MwActed {
    action: array<array<u32, MW_ACTION_WORDS>, MW_SAMPLES>,
    bounded: array<array<u32, MW_ACTION_WORDS>, MW_SAMPLES>,   // the action as worlds get it
    log_prob: array<f32, MW_SAMPLES>,
    kept: array<array<f32, MW_KEPT>, MW_SAMPLES>,   // of the distribution
}

/// Uniforms for the action of a world, those of this step (slot `noise`). A single one is word `step & 3` of block `step >> 2`; of several, number
/// i is word `i & 3` of call `i >> 2`.
fn mw_action_noise(key: vec2<u32>, world: u32, step: u32) -> array<f32, MW_UNIFORMS> {
    var noise: array<f32, MW_UNIFORMS>;
    if MW_UNIFORMS == 1u {
        noise[0] = mw_action_uniform(key, world, step);
    } else {
        var words: vec4<u32>;
        @unroll for i in 0..MW_UNIFORMS {
            if i % 4u == 0u { words = mw_world_words(key, world, step, MW_NOISE_PURPOSE, i / 4u); }
            noise[i] = mw_uniform(words[i % 4u]);
        }
    }
    return noise;
}

/// What is unsound in what each world observed, and in what a look number by number showed of any of them.
var<private> mw_unsound_in: array<vec2<u32>, MW_SAMPLES>;
var<private> mw_unsound_shown: vec2<u32>;

/// Shows the policy what the worlds observe, which is returned.
fn mw_observe(agent: u32, world: array<MwWorld, MW_SAMPLES>) -> array<MwSeen, MW_SAMPLES> {
    var seen: array<MwSeen, MW_SAMPLES>;
    @unroll for i in 0..MW_SAMPLES {
        seen[i] = mw_look(world[i].state);
        mw_unsound_in[i] = mw_take_unsound();
    }
    mw_show(agent, seen);
    mw_unsound_shown = mw_take_unsound();
    mw_show_mask(world);
    return seen;
}

/// The policy acts on what it was shown: it samples, or takes its most likely action.
fn mw_act(thread: MwThread, key: vec2<u32>, index: array<u32, MW_SAMPLES>, steps: array<u32, MW_SAMPLES>, sampled: bool) -> MwActed {
    var uniform_: array<array<f32, MW_UNIFORMS>, MW_SAMPLES>;
    if MW_DRAWS == 1u {
        @unroll for i in 0..MW_SAMPLES { uniform_[i] = mw_action_noise(key, index[i], steps[i]); }
    }
    mw_forward(thread);
    var acted: MwActed;
    @unroll for v in 0..MW_VECTORS {
        var noise: array<Lane, MW_UNIFORMS>;
        @unroll for k in 0..MW_UNIFORMS {
            var value: array<f32, MW_LANES>;
            @unroll for i in 0..MW_LANES { value[i] = uniform_[v * MW_LANES + i][k]; }
            noise[k] = mw_lane_from(value);
        }
        let dist = mw_dist(v);
        var chosen = mw_dist_mode(dist);
        if MW_DRAWS == 1u && sampled { chosen = mw_dist_sample(dist, noise); }
        let bounded = mw_bounded(chosen);
        let log_prob = mw_dist_log_prob(dist, chosen);
        let kept = mw_dist_kept(dist);
        @unroll for i in 0..MW_LANES {
            @unroll for k in 0..MW_ACTION_WORDS {
                acted.action[v * MW_LANES + i][k] = mw_lane_word(chosen[k], i);
                acted.bounded[v * MW_LANES + i][k] = mw_lane_word(bounded[k], i);
            }
            acted.log_prob[v * MW_LANES + i] = mw_lane_get(log_prob, i);
            @unroll for k in 0..MW_KEPT { acted.kept[v * MW_LANES + i][k] = mw_lane_get(kept[k], i); }
        }
    }
    return acted;
}
