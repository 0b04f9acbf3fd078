const N: u32 = 2u;
const OBSERVATION_DIM: u32 = 3u * N;
const ACTION_COUNTS: array<u32, N> = array<u32, N>(3u, 2u);
const MAX_EPISODE_STEPS: u32 = 0u;
const REWARD_THRESHOLD: f32 = 4.5;
alias Board = array<vec2<i32>, 4>;
struct Piece { at: vec2<f32>, alive: bool }
struct State { board: Board, pieces: array<Piece, N>, turn: mat2x2<f32>, k: i32 }
const START = array<u32, 4>(1u, 0x2u, 3u, 4u);
override bonus: f32 = 0.5;
override most: u32 = 7;
fn env_reset(rng: ptr<function, Rng>) -> State {
    var s: State;
    var start = START;
    for (var i = 0u; i < 4u; i++) { s.board[i] = vec2<i32>(i32(start[i]), i32(rng_u32(rng) % 5u)); }
    return s;
}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    var k = 0u;
    while k < most && (*s).k < 9 { k += 1u; if k == 3u { continue; } }
    loop { k -= 1u; if k < 2u { break; } continuing { (*s).k += 1; } }
    switch action[0] { case 0u: { (*s).k -= 1; } case 1u, 2u { (*s).k = select(1, -(*s).k, action[1] == 0u); } default: {} }
    return Outcome(bonus * f32((*s).k), dot((*s).pieces[0].at, vec2<f32>(1.0)) > 1e3);
}
fn env_feature(s: State, i: u32) -> f32 { return select(f32(s.k), sin_(s.turn[0].x), i == 1u); }
fn env_action_mask(s: State) -> ActionMask {
    var m: ActionMask;
    for (var i = 0u; i < 5u; i += 1u) { m[i] = i != 1u || s.k > 0; }
    return m;
}
