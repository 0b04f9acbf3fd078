//! Pictures of worlds against colours that are known exactly, and who plays the worlds in them.

use crate::support::{POISON, gpu, ok, open, poison};
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::gpu::Recording;
use manyworlds::kernels::Kernels;
use manyworlds::plan::{Plan, Target};
use manyworlds::pool::{AutoReset, WorldPool};
use manyworlds::render::Show;
use manyworlds::stage::{Grid, Picture};
use manyworlds::train::Policy;

/// Its colour says which world it is and what of the tile is drawn: nothing of it is rounded anywhere but in blue.
const PLACES: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 3u;
override MAX_EPISODE_STEPS: u32 = 4u;
struct State { number: u32, kept: array<f32, 5> }
fn env_reset(rng: ptr<function, Rng>) -> State { var s: State; s.kept[4] = 0.25; return s; }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).number += 1u;
    return Outcome(1.0, action == 2u);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.number) - 2.0); }
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    // five places from left to right and seven from the bottom to the top
    let place = floor(0.5 * (p + vec2<f32>(1.0)) * vec2<f32>(5.0, 7.0));
    return vec3<f32>(f32(s.number) / 255.0, (place.x + 10.0 * place.y) / 255.0, s.kept[4] + 2.0 * step(p.x, -9.0));
}
";

/// What the environment above shows in a pixel of a tile that is `side` pixels wide.
fn expected(number: u32, side: u32, x: u32, y: u32) -> u32 {
    let place = |at: u32, count: u32| (2 * at + 1) * count / (2 * side);
    let green = place(x, 5) + 10 * place(side - 1 - y, 7);
    number | green << 8 | 64 << 16 | 0xff << 24
}

const GAP: u32 = 0xff29_2421;
const TERMINATED: u32 = 0xff0d_99fa;
const TRUNCATED: u32 = 0xfff2_8040;

/// Every pixel of a picture of worlds with these numbers of steps and endings.
fn check(case: &str, grid: Grid, got: &[u32], numbers: &[u32], endings: &[u32]) {
    let side = grid.tile - grid.gap;
    for (at, &word) in got.iter().enumerate() {
        let (x, y) = (at as u32 % grid.width(), at as u32 / grid.width());
        let (column, row) = (x % grid.tile, y % grid.tile);
        let world = (y / grid.tile * grid.columns + x / grid.tile) as usize;
        let edge = column.min(row).min(side.wrapping_sub(1 + column.max(row)));
        let wanted = match endings.get(world) {
            None => GAP,
            _ if column.max(row) >= side => GAP,
            Some(1 | 3) if edge < (side / 20).max(1) => TERMINATED,
            Some(2) if edge < (side / 20).max(1) => TRUNCATED,
            Some(_) => expected(numbers[world], side, column, row),
        };
        assert_eq!(
            word, wanted,
            "{case}, world {world}, pixel ({column}, {row}): got {word:08x}, expected {wanted:08x}"
        );
    }
}

#[test]
fn every_pixel_is_that_of_its_world_and_place() {
    let env = ok(Environment::from_source("places", "places.wgsl", PLACES));
    // sides that divide nothing, tiles with gaps and without, a world alone, and tiles that no world is in
    for (worlds, size) in [(1, 13), (3, 59), (7, 100), (65, 345), (345, 345)] {
        let case = format!("{worlds} worlds, {size} pixels");
        let grid = ok(Grid::new(worlds, size));
        let pool = ok(WorldPool::with_auto_reset(gpu(), &env, worlds, 1, AutoReset::NextStep));
        let mut plan = Plan::new(Target::of(gpu()));
        let kernels = Kernels::of_worlds(gpu().form_for(0), &env.spec().action_space);
        let picture =
            ok(Picture::new(&mut plan, &kernels, &env, grid, &pool.worlds, &pool.observations, &pool.endings));
        ok(plan.build(gpu()));
        let mut draw = Recording::default();
        picture.record(&mut draw);
        let mut numbers = vec![0; worlds as usize];
        let mut endings = vec![0; worlds as usize];
        for step in 0..6 {
            poison(&picture.pixels);
            ok(gpu().submit(&draw));
            let got = ok(gpu().read(&picture.pixels));
            assert_eq!(got.len() as u32, grid.width() * grid.height());
            assert!(!got.contains(&POISON), "{case}: not all was drawn");
            check(&format!("{case}, step {step}"), grid, &got, &numbers, &endings);
            let actions: Vec<u32> = (0..worlds).map(|world| u32::from(world % 3 == step) * 2).collect();
            ok(pool.step(&actions));
            for world in 0..worlds as usize {
                if endings[world] != 0 {
                    (numbers[world], endings[world]) = (0, 0);
                    continue;
                }
                numbers[world] += 1;
                endings[world] = u32::from(actions[world] == 2) + 2 * u32::from(numbers[world] == 4);
            }
        }
    }
}

/// Without `env_pixel` a world is a chart of its observation, here a single number: −2 at first, then −1, 0, 1, 2.
#[test]
fn a_world_without_a_picture_is_a_chart() {
    let text = PLACES
        .split("fn env_pixel")
        .next()
        .expect("the part before")
        .replace("= 4u;", "= 0u;")
        .replace("action == 2u", "false");
    let env = ok(Environment::from_source("plain", "plain.wgsl", &text));
    assert!(!env.draws());
    let mut show = ok(Show::of_random(gpu(), &env, 1, 1, 20));
    let (paper, blue, orange) = (0xfff5_f7f7, 0xffc7_8245, 0xff2e_85ed);
    // a bar takes eight of the ten pixels in the middle, and 0.9 of the way from the line at the value of ±2
    for (number, coloured, colour) in
        [(0, 10..=18, blue), (1, 10..=13, blue), (2, 30..=30, paper), (3, 6..=9, orange), (4, 1..=9, orange)]
    {
        let pixels: Vec<u32> = ok(ok(show.picture()).wait(gpu())).take(0);
        for row in [1_usize, 4, 7, 12, 15, 18] {
            let wanted = if coloured.contains(&row) { colour } else { paper };
            let got = pixels[20 * row + 10];
            assert_eq!(got, wanted, "number {number}, row {row}: got {got:08x}, expected {wanted:08x}");
        }
        assert_eq!(pixels[20 * 15], paper, "beside the bar");
        ok(show.step());
    }
}

/// The policy of a show acts as it does on the host, and a world that has ended is shown once and then begins anew.
#[test]
fn a_show_plays_the_policy() {
    let gpu = &open(); // its readbacks are counted
    let env = ok(Environment::load("CartPole-v1"));
    let policy = ok(Policy::untrained(&env, Config::default()));
    let actor = ok(policy.actor());
    let worlds = 65;
    let mut show = ok(Show::of_policy(gpu, &policy, worlds, 3, false, 128));
    let mut ended = 0;
    for step in 0..40 {
        let (seen, before) = (ok(show.pool().observations()), ok(gpu.read(&show.pool().endings)));
        let reads = gpu.counts().readbacks;
        ok(show.step());
        ok(show.draw());
        assert_eq!(gpu.counts().readbacks, reads, "nothing is read back");
        let actions = ok(gpu.read(&show.pool().actions));
        for world in 0..worlds as usize {
            let observation: Vec<f64> = (0..4).map(|f| f64::from(seen[f * worlds as usize + world])).collect();
            let expected = ok(actor.act(&observation))[0];
            assert_eq!(actions[world], expected as u32, "step {step}, world {world}, observation {observation:?}");
        }
        let after = ok(gpu.read(&show.pool().endings));
        let again = before.iter().zip(&after).filter(|(before, after)| **before != 0 && **after != 0).count();
        assert_eq!(again, 0, "step {step}: a world that had ended begins anew");
        ended += after.iter().filter(|ending| **ending != 0).count();
    }
    assert!(ended > 10, "{ended} of {worlds} worlds ended");
}
