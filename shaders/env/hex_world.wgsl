//! HexWorld: find the way to a reward on 24 hexes, with legs that veer to the left and right.
//! Source: Kochenderfer, Wheeler & Wray (2022), Algorithms for Decision Making, appendix on decision problems; map,
//! rewards and rules as in DecisionMakingProblems.jl, src/mdp/hexworld.jl.
//!
//!   j = 2   14  15  16  17  18  19  20  21  22  23        the hex (i, j) lies at x = i + j/2; cells are
//!   j = 1      8   9  10      11          12  13          numbered by row j, then by i (the source has
//!   j = 0    0   1   2   3       4   5   6       7        another order); row 2 begins with i = −1
//!
//! Actions: 0 east, then anticlockwise: north-east, north-west, west, south-west, 5 south-east. A move goes where it
//! should with probability 0.7, and to the next direction on either side with 0.15 each. A move off the map costs 1
//! and stays; the source charges its expectation, this the bumps that happen, which is the same in the mean.
//! Arriving in a reward hex pays nothing. Any action in one pays its reward (cell 8: 5, cell 2: −10, cell 7: 10) and
//! terminates; the state stays there. Starts in any hex alike, those three included. The source uses γ = 0.9 and no
//! step limit; that of 100 is ours. Observation: one-hot of the cell. Each step draws once, also in a reward hex.
//!
//! Observation: cell[..]
//! Actions: east, north-east, north-west, west, south-west, south-east

const OBSERVATION_DIM: u32 = 24u;
const ACTION_COUNT: u32 = 6u;
const MAX_EPISODE_STEPS: u32 = 100u;

override intended: f32 = 0.7;        // probability of the intended direction
override bump_reward: f32 = -1.0;    // for a move off the map
override left_reward: f32 = 5.0;     // in cell 8, (0, 1)
override hazard_reward: f32 = -10.0; // in cell 2, (2, 0)
override right_reward: f32 = 10.0;   // in cell 7, (9, 0)

struct State { cell: u32 } // 0 … 23

/// The map: bit i + 2 of row j + 1 says whether there is a hex (i, j).
fn hexes(row: u32) -> u32 {
    return select(0u, 0xbbcu, row == 1u) | select(0u, 0x65cu, row == 2u) | select(0u, 0x7feu, row == 3u);
}

/// The same map the other way: i + 2 of a cell, four bits each.
fn column_of(cell: u32) -> u32 {
    let columns = select(select(0xb9875432u, 0x21a96432u, cell >= 8u), 0xa9876543u, cell >= 16u);
    return (columns >> (4u * (cell & 7u))) & 15u;
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(min(u32(24.0 * rng_uniform(rng)), 23u));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let cell = (*s).cell;
    let u = rng_uniform(rng);
    let veer = select(select(5u, 1u, u < intended + 0.5 * (1.0 - intended)), 0u, u < intended);
    let way = (action + veer) % 6u;
    let row = 1u + u32(cell >= 8u) + u32(cell >= 14u) + u32(way == 1u || way == 2u) - u32(way == 4u || way == 5u);
    let column = column_of(cell) + u32(way == 0u || way == 5u) - u32(way == 2u || way == 3u);
    let bump = ((hexes(row) >> column) & 1u) == 0u;
    let first = 8u * u32(row >= 2u) + 6u * u32(row >= 3u);
    let next = first + countOneBits(hexes(row) & ((1u << column) - 1u));

    let ends = cell == 2u || cell == 7u || cell == 8u;
    let prize = select(select(left_reward, right_reward, cell == 7u), hazard_reward, cell == 2u);
    (*s).cell = select(next, cell, bump || ends);
    return Outcome(select(select(0.0, bump_reward, bump), prize, ends), ends);
}

fn hot(cell: u32, i: u32) -> f32 { return f32(cell == i); }

fn env_observe(s: State) -> Observation {
    let c = s.cell;
    return Observation(
        hot(c, 0u), hot(c, 1u), hot(c, 2u), hot(c, 3u), hot(c, 4u), hot(c, 5u), hot(c, 6u), hot(c, 7u),
        hot(c, 8u), hot(c, 9u), hot(c, 10u), hot(c, 11u), hot(c, 12u), hot(c, 13u),
        hot(c, 14u), hot(c, 15u), hot(c, 16u), hot(c, 17u), hot(c, 18u), hot(c, 19u), hot(c, 20u), hot(c, 21u),
        hot(c, 22u), hot(c, 23u));
}

/// Picture: the 24 hexes, the prizes green, the hazard red, and where the agent is.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    // hexes of width 1 stand in columns from −1 to 10; a tile shows twelve of them across
    let size = 6.0;
    let at = vec2<f32>(size * p.x + 4.5, size * p.y / 0.8660254 + 1.0);
    var colour = vec3<f32>(0.13, 0.15, 0.19);
    // the nearest of the hexes in the row below and above
    for (var k = 0; k < 2; k++) {
        let j = floor(at.y) + f32(k);
        let i = round(at.x - 0.5 * j);
        let inside = j >= 0.0 && j <= 2.0 && i >= -1.0 && i <= 9.0;
        let column = u32(clamp(i + 2.0, 0.0, 15.0));
        let row = u32(clamp(j, 0.0, 2.0));
        let map = hexes(row + 1u);
        if !inside || ((map >> column) & 1u) == 0u { continue; }
        let cell = select(select(0u, 8u, row >= 1u), 14u, row >= 2u) + countOneBits(map & ((1u << column) - 1u));
        let from_centre = vec2<f32>(at.x - i - 0.5 * j, (at.y - j) * 0.8660254);
        let d = abs(from_centre);
        let edge = (max(d.x, dot(d, vec2<f32>(0.5, 0.8660254))) - 0.46) / size;
        var fill = vec3<f32>(0.88, 0.89, 0.86);
        fill = select(fill, vec3<f32>(0.9, 0.35, 0.3), cell == 2u);
        fill = select(fill, vec3<f32>(0.35, 0.72, 0.4), cell == 7u);
        fill = select(fill, vec3<f32>(0.62, 0.83, 0.5), cell == 8u);
        colour = pixel_over(colour, fill, pixel_cover(edge));
        let agent = pixel_cover((length(from_centre) - 0.28) / size);
        colour = pixel_over(colour, vec3<f32>(0.15, 0.35, 0.75), select(0.0, agent, cell == s.cell));
    }
    return colour;
}
