//! `manyworlds render`

mod film;
mod formats;
#[cfg(feature = "window")]
mod window;

use super::drivers::Work;
use super::say::say;
use super::{AdapterArgument, checkpoint, foreign};
use crate::cli::ExitCode;
use crate::env::Environment;
use crate::error::shown;
use crate::gpu::Gpu;
use crate::render::Show;
use crate::train::Policy;
use crate::{Error, Result};
use film::Film;
use formats::Format;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Frames of the longest film.
const MOST_FRAMES: f64 = 100_000.0;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  manyworlds render runs/cartpole                     64 worlds, CartPole-v1.gif
  manyworlds render runs/quad --worlds 1 -o quad.mp4  one world
  manyworlds render Breakout --worlds 9 --watch       random actions, in a window
  manyworlds render my.wgsl --seconds 0 -o first.png  the first states

A frame shows one step, unless --speed says otherwise: at 30 frames a second
CartPole, whose steps are 0.02 s, is seen at 0.6 of its speed. A world whose
episode ends has a border for one picture: amber where it terminated, blue
where the step limit truncated it. docs/rendering.md has the rest.")]
pub struct Render {
    /// Run directory or checkpoint, whose policy plays; or an environment (a name, or a .wgsl file), with random actions
    #[arg(value_name = "RUN_OR_ENV")]
    what: String,
    /// Worlds, each a tile of the picture
    #[arg(long, default_value_t = 64)]
    worlds: u32,
    /// Length of the film
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Frames per second
    #[arg(long, default_value_t = 30.0)]
    fps: f64,
    /// Steps of every world from one frame to the next
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// Pixels of the picture's longer side at most
    #[arg(long, default_value_t = 512)]
    size: u32,
    /// Seed of the first states and of the actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Sample actions instead of taking the most likely one
    #[arg(long)]
    stochastic: bool,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// The file: .gif, .apng, .mp4 (by ffmpeg, which has to be installed), or .png, the last frame alone
    /// [default: the environment's name and .gif]
    #[arg(short, long, value_name = "FILE", conflicts_with = "watch")]
    output: Option<PathBuf>,
    /// Show the worlds in a window instead: space pauses, right makes one step, up and down change the speed, r begins anew,
    /// the mouse turns the camera of worlds in space, q and Esc quit
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

/// Whose worlds are shown.
enum Player {
    Policy(Box<Policy>),
    Random(Box<Environment>),
}

impl Player {
    fn env(&self) -> &Environment {
        match self {
            Self::Policy(policy) => &policy.env,
            Self::Random(env) => env,
        }
    }
}

impl Render {
    /// What it asks a processor for: the width of vectors that the policy was trained with.
    pub fn work(&self) -> Work {
        let policy = (!self.is_environment()).then(|| Policy::load(Path::new(&self.what)));
        match policy {
            Some(Ok(policy)) => Work { small: false, window: self.watch, ..Work::from(&policy.config) },
            _ => Work { window: self.watch, ..Work::default() }, // what is wrong is said later
        }
    }

    pub fn run(self) -> Result<ExitCode> {
        self.check()?;
        if self.watch {
            return self.watch();
        }
        let player = self.player()?;
        let path = self.output.clone().unwrap_or_else(|| {
            let name = Path::new(player.env().name()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            PathBuf::from(format!("{name}.gif"))
        });
        let format = Format::of(&path, self.fps)?;
        let gpu = self.adapter.open(0)?;
        let mut show = self.show(&gpu, &player)?;
        let frames = (self.seconds * self.fps).round().max(1.0) as u32;
        let mut film = Film::new(show.width(), show.height(), self.fps);
        let bar = progress(frames.into());
        let mut coming = show.picture()?;
        for frame in 0..frames {
            // the next one is drawn while this one is taken
            let next = if frame + 1 < frames {
                for _ in 0..self.speed {
                    show.step()?;
                }
                Some(show.picture()?)
            } else {
                None
            };
            let pixels = coming.wait(&gpu)?.take::<u32>(0);
            film.add(&pixels);
            bar.inc(1);
            match next {
                Some(next) => coming = next,
                None => break,
            }
        }
        show.pool().check_loops()?;
        bar.set_message("writing");
        let bytes = format.write(&film, &path)?;
        bar.finish_and_clear();
        let (worlds, plural) = (self.worlds, if self.worlds == 1 { "" } else { "s" });
        let length = match format {
            Format::Png => "one frame".to_owned(),
            _ => format!("{frames} frames"),
        };
        say(format_args!(
            "{}: {length} of {worlds} world{plural} of {}, {} × {} pixels, {}",
            shown(path.display()),
            shown(player.env().name()),
            show.width(),
            show.height(),
            HumanBytes(bytes)
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Refuses numbers that mean nothing.
    fn check(&self) -> Result<()> {
        let refuse = |name: &str, reason: String| Err(Error::Setting { name: name.to_owned(), reason });
        if !(0.1..=240.0).contains(&self.fps) {
            return refuse("fps", format!("{} is not allowed; it must be from 0.1 to 240", self.fps));
        }
        if !(0.0..).contains(&self.seconds) || self.seconds * self.fps > MOST_FRAMES {
            let most = MOST_FRAMES / self.fps;
            return refuse("seconds", format!("{} is not allowed; it must be from 0 to {most:.0}", self.seconds));
        }
        if !(1..=10_000).contains(&self.speed) {
            return refuse("speed", format!("{} is not allowed; it must be from 1 to 10000 steps a frame", self.speed));
        }
        Ok(())
    }

    fn is_environment(&self) -> bool {
        Environment::is_file_name(&self.what) || Environment::names().any(|name| name == self.what)
    }

    fn player(&self) -> Result<Player> {
        if self.is_environment() {
            return foreign::load_to_draw(&self.what, &self.set_env, &self.adapter)
                .map(|env| Player::Random(Box::new(env)));
        }
        let path = Path::new(&self.what);
        if !path.exists() {
            let reason = match Environment::load(&self.what) {
                Err(Error::Environment { reason, .. }) => {
                    format!("no run directory or checkpoint of this name is here, and {reason}")
                }
                _ => "no run directory or checkpoint of this name is here".to_owned(),
            };
            return Err(Error::Environment { name: self.what.clone(), reason });
        }
        let mut policy = checkpoint::load(path)?;
        foreign::set(&mut policy.env, &self.set_env)?;
        foreign::probe_checkpoint_to_draw(&policy.env, &self.adapter)?;
        Ok(Player::Policy(Box::new(policy)))
    }

    fn show(&self, gpu: &Gpu, player: &Player) -> Result<Show> {
        match player {
            Player::Policy(policy) => Show::of_policy(gpu, policy, self.worlds, self.seed, self.stochastic, self.size),
            Player::Random(env) => Show::of_random(gpu, env, self.worlds, self.seed, self.size),
        }
    }

    #[cfg(feature = "window")]
    fn watch(&self) -> Result<ExitCode> {
        window::watch(self)
    }

    #[cfg(not(feature = "window"))]
    #[allow(clippy::unused_self)] // as the other one is called
    fn watch(&self) -> Result<ExitCode> {
        let reason = "this program was built without windows (cargo's feature `window`); film the worlds with -o FILE";
        Err(Error::Setting { name: "watch".to_owned(), reason: reason.to_owned() })
    }
}

fn progress(frames: u64) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(frames) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} frames · {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}
