//! Times of pictures: 1,024 worlds of each built-in environment in 512 × 512 pixels, a step of all worlds under random actions, the
//! drawing and the read of the picture together. `cargo bench --bench frames [NAME…]`

use manyworlds::render::Show;
use manyworlds::{AdapterChoice, Environment, Gpu};
use std::time::Instant;

const WORLDS: u32 = 1024;
const SIZE: u32 = 512;
const FRAMES: usize = 41;

#[allow(clippy::print_stdout)] // a measurement's result
fn main() -> manyworlds::Result<()> {
    let names: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
    println!("{}; milliseconds of a frame, {WORLDS} worlds in {SIZE} × {SIZE}", gpu.info().name);
    println!("{:26} {:>8} {:>8} {:>8}", "environment", "least", "median", "most");
    for name in Environment::names().filter(|name| names.is_empty() || names.iter().any(|wanted| wanted == name)) {
        let mut show = Show::of_random(&gpu, &Environment::load(name)?, WORLDS, 1, SIZE)?;
        let mut times = Vec::new();
        for _ in 0..=FRAMES {
            let started = Instant::now();
            show.step()?;
            show.picture()?.wait(&gpu)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        // the first one meets kernels that were never run
        times.remove(0);
        times.sort_by(f64::total_cmp);
        println!("{name:26} {:8.1} {:8.1} {:8.1}", times[0], times[FRAMES / 2], times[FRAMES - 1]);
    }
    Ok(())
}
