//! Bandit: ten arms, one step; each arm pays its mean plus noise.
//! Source: the 10-armed testbed of Sutton & Barto (2018), Reinforcement Learning, section 2.3.
//! The testbed draws its means from N(0, 1) for each run. Here they are the same in all worlds and episodes: ten such
//! draws with two decimals, made once (Python, random.Random(4).gauss(0, 1)), and each can be set. With these the best
//! is arm 6 (mean 1.56), the second best arm 4 (0.93), and all arms alike earn 0.176. The observation is always 1.
//!
//! Observation: one
//! Actions: arm[0..9]

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 10u;
const MAX_EPISODE_STEPS: u32 = 2u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 1.5;

override mean_0: f32 = 0.04;
override mean_1: f32 = 0.46;
override mean_2: f32 = -0.46;
override mean_3: f32 = 0.35;
override mean_4: f32 = 0.93;
override mean_5: f32 = 0.41;
override mean_6: f32 = 1.56;
override mean_7: f32 = -0.89;
override mean_8: f32 = 0.07;
override mean_9: f32 = -0.71;
override noise: f32 = 1.0; // standard deviation of a reward

struct State { here: f32 } // 1, the only state there is

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(1.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    var mean = mean_0;
    mean = select(mean, mean_1, action == 1u);
    mean = select(mean, mean_2, action == 2u);
    mean = select(mean, mean_3, action == 3u);
    mean = select(mean, mean_4, action == 4u);
    mean = select(mean, mean_5, action == 5u);
    mean = select(mean, mean_6, action == 6u);
    mean = select(mean, mean_7, action == 7u);
    mean = select(mean, mean_8, action == 8u);
    mean = select(mean, mean_9, action == 9u);
    return Outcome(mean + noise * rng_normal(rng), true);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.here);
}

/// Picture: the mean of each arm, the best one gold. What was pulled is not remembered.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let means = array<f32, 10>(mean_0, mean_1, mean_2, mean_3, mean_4, mean_5, mean_6, mean_7, mean_8, mean_9);
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    var best = 0.0;
    var size = 0.0;
    for (var i = 0; i < 10; i++) {
        best = max(best, means[i]);
        size = max(size, abs(means[i]));
    }
    for (var i = 0; i < 10; i++) {
        let height = 0.88 * means[i] / max(size, 1e-6);
        let centre = vec2<f32>(0.19 * (f32(i) - 4.5), 0.5 * height);
        let fill = select(vec3<f32>(0.35, 0.5, 0.7), vec3<f32>(0.95, 0.7, 0.2), means[i] == best);
        colour = pixel_over(colour, fill, pixel_box(p, centre, vec2<f32>(0.07, 0.5 * abs(height))));
    }
    return pixel_over(colour, vec3<f32>(0.25), pixel_line(p, vec2<f32>(-0.97, 0.0), vec2<f32>(0.97, 0.0), 0.01));
}
