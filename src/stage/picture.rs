//! A picture of many worlds.

use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Gpu, Recording};
use crate::kernels::{DRAWN, Kernels};
use crate::layout;
use crate::plan::Plan;
use glam::dcamera::rh::{proj::directx::perspective, view::look_at_mat4};
use glam::{DQuat, DVec3};

/// Pixels of a side of the smallest tile that worlds are drawn in.
const SMALLEST_TILE: u32 = 4;
/// Pixels of a side of the largest picture.
const LARGEST: u32 = 4096;
/// Tiles of this many pixels and more have a gap between them.
const WITH_GAP: u32 = 24;
/// Where the camera stands; it looks at the origin, z upwards.
const EYE: DVec3 = DVec3::new(2.6, -8.2, 4.2);
/// The camera's angle of view, in degrees.
const VIEW: f64 = 38.0;

/// How worlds are laid out: square tiles in a grid that is nearly square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Worlds.
    pub worlds: u32,
    /// Tiles of a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Pixels of a side of a tile, the gap included.
    pub tile: u32,
    /// Pixels between tiles.
    pub gap: u32,
}

impl Grid {
    /// The grid of so many worlds that is at most `size` pixels wide and high.
    ///
    /// # Errors
    /// [`Error::Setting`] where there are no worlds, or tiles would have less than 4 pixels a side, or `size` is above 4096.
    pub fn new(worlds: u32, size: u32) -> Result<Self> {
        if worlds == 0 {
            return Err(Error::setting("worlds", "0 is not allowed; it must be at least 1"));
        }
        if !(SMALLEST_TILE..=LARGEST).contains(&size) {
            return Err(Error::setting(
                "size",
                format!("{size} is not allowed; it must be from {SMALLEST_TILE} to {LARGEST} pixels"),
            ));
        }
        // exact for all u32
        let columns = f64::from(worlds).sqrt().ceil() as u32;
        let tile = size / columns;
        if tile < SMALLEST_TILE {
            let least = u64::from(columns) * u64::from(SMALLEST_TILE);
            let remedy = if least > u64::from(LARGEST) {
                format!("draw at most {}", (LARGEST / SMALLEST_TILE).pow(2))
            } else {
                format!("draw fewer, or in {least} pixels and more")
            };
            let reason =
                format!("{worlds} worlds in {size} pixels have less than {SMALLEST_TILE} pixels a side each; {remedy}");
            return Err(Error::setting("worlds", reason));
        }
        let gap = u32::from(tile >= WITH_GAP && worlds > 1);
        Ok(Self { worlds, columns, rows: worlds.div_ceil(columns), tile, gap })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> u32 {
        self.columns * self.tile
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> u32 {
        self.rows * self.tile
    }

    /// What kernels know of it, with a camera that was turned about the z axis by an angle in radians.
    pub fn seen_from(&self, angle: f32) -> layout::Picture {
        let eye = DQuat::from_rotation_z(f64::from(angle)) * EYE;
        // the rows of a view are the camera's axes; it looks along its −z
        let view = look_at_mat4(eye, DVec3::ZERO, DVec3::Z);
        let [right, up, back] = [0, 1, 2].map(|row| view.row(row).truncate().as_vec3());
        let zoom = perspective(VIEW.to_radians(), 1.0, 0.1, 100.0).y_axis.y as f32;
        let eye = eye.as_vec3();
        layout::Picture {
            worlds: self.worlds,
            columns: self.columns,
            rows: self.rows,
            tile: self.tile,
            gap: self.gap,
            pixel: 2.0 / (self.tile - self.gap) as f32,
            eye_x: eye.x,
            eye_y: eye.y,
            eye_z: eye.z,
            right_x: right.x,
            right_y: right.y,
            right_z: right.z,
            up_x: up.x,
            up_y: up.y,
            up_z: up.z,
            ahead_x: -back.x,
            ahead_y: -back.y,
            ahead_z: -back.z,
            zoom,
        }
    }
}

/// Worlds as tiles of a picture, drawn on the device: as their environment draws them (`env_pixel`), or as charts of what they
/// observe.
#[derive(Clone, Debug)]
pub struct Picture {
    recording: Recording,
    view: Buffer<layout::Picture>,
    /// Where which world is.
    pub grid: Grid,
    /// `[row][column]`, a word each: red, green, blue and 255, red the lowest byte.
    pub pixels: Buffer<u32>,
}

impl Picture {
    /// A picture of worlds of one agent, `[word / 4][world][word % 4]`, their `[feature][world]` observations and the
    /// `[world]` bits of how their last steps ended.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        grid: Grid,
        worlds: &Buffer<u32>,
        observations: &Buffer<f32>,
        endings: &Buffer<u32>,
    ) -> Result<Self> {
        let (width, height) = (u64::from(grid.width()), u64::from(grid.height()));
        let pixels = plan.buffer("pixels", &[("rows", height), ("columns", width)], "--size")?;
        let view = plan.uniform("picture", &grid.seen_from(0.0));
        let buffers = Buffers::default()
            .with("mw_picture", &view)
            .with("mw_world", worlds)
            .with("mw_observations", observations)
            .with("mw_endings", endings)
            .with("mw_pixels", &pixels);
        let mut recording = Recording::default();
        let threads = width * u64::from(grid.rows * grid.tile.div_ceil(DRAWN));
        let kernel = plan.kernel(kernels.render(env)?);
        let iterations = u64::from(DRAWN) * (1 + env.pixel_iterations());
        if env.draws() {
            recording.push(&plan.pass(kernel, 1, threads, iterations, &buffers));
            return Ok(Self { recording, view, grid, pixels });
        }
        let features = u64::from(env.spec().observation_dim);
        let nothing = move || vec![[f32::MAX, f32::MIN]; features as usize];
        let ranges = plan.filled("ranges", &[("features", features)], "nothing", nothing)?;
        let buffers = buffers.with("mw_ranges", &ranges);
        let seen = plan.kernel(kernels.ranges()?);
        recording.push(&plan.pass(seen, 1, features, grid.worlds.into(), &buffers));
        recording.push(&plan.pass(kernel, 1, threads, iterations, &buffers));
        Ok(Self { recording, view, grid, pixels })
    }

    /// Turns the camera about the z axis, by an angle in radians from where it stood at first.
    pub fn turn_camera(&self, gpu: &Gpu, angle: f32) {
        gpu.write(&self.view, &[self.grid.seen_from(angle)]);
    }

    /// Adds the stage to a recording.
    pub fn record(&self, recording: &mut Recording) {
        recording.extend(&self.recording);
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;

    #[test]
    fn grids_are_nearly_square_and_hold_every_world() {
        for (worlds, size, columns, rows, tile) in [
            (1, 512, 1, 1, 512),
            (2, 512, 2, 1, 256),
            (10, 512, 4, 3, 128),
            (64, 512, 8, 8, 64),
            (1024, 512, 32, 32, 16),
        ] {
            let grid = Grid::new(worlds, size).expect("a grid");
            assert_eq!((grid.columns, grid.rows, grid.tile), (columns, rows, tile), "{worlds}");
        }
        for (worlds, size, words) in [
            (0, 512, "0 is not allowed"),
            (1, 3, "from 4 to 4096"),
            (1, 5000, "from 4 to 4096"),
            (20_000, 512, "568 pixels and more"),
            (4_000_000_000, 4096, "at most 1048576"),
        ] {
            let error = Grid::new(worlds, size).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
