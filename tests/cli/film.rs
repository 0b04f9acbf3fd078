//! `render` as a user meets it: films in every format hold the same pictures, and what cannot be filmed is refused.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::calls::{manyworlds, refused, text};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

/// A world that moves a mark, in three colours; it ends after three steps.
const MARK: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 3u;
override shift: u32 = 0u;
struct State { at: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(shift); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).at += 1u;
    return Outcome(f32(action), false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.at)); }
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let here = u32(2.0 * (p.x + 1.0)) == s.at % 4u;
    return select(select(vec3<f32>(0.0, 0.0, 1.0), vec3<f32>(0.0, 1.0, 0.0), p.y > 0.0), vec3<f32>(1.0), here);
}
";

fn film(what: &str, file: &Path, more: &[&str]) {
    let file = file.to_str().unwrap();
    let fixed = ["render", what, "--worlds", "3", "--seconds", "0.6", "--fps", "10", "--size", "52", "-o", file];
    let output = manyworlds(&[&fixed[..], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("of 3 worlds"), "{}", text(&output.stderr));
}

/// The frames of a GIF as a player shows them, RGB, and the hundredths of a second of all of them.
fn gif_frames(bytes: &[u8]) -> (Vec<Vec<u8>>, u32) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let (width, height) = (decoder.width() as usize, decoder.height() as usize);
    let (mut picture, mut frames, mut time) = (vec![0; 3 * width * height], Vec::new(), 0);
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        time += u32::from(frame.delay);
        for (i, pixel) in frame.buffer.chunks_exact(4).enumerate().filter(|(_, pixel)| pixel[3] > 0) {
            let (w, left, top) = (frame.width as usize, frame.left as usize, frame.top as usize);
            let at = 3 * ((top + i / w) * width + left + i % w);
            picture[at..at + 3].copy_from_slice(&pixel[..3]);
        }
        frames.push(picture.clone());
    }
    (frames, time)
}

/// The frames of an animated PNG, or the one of a PNG.
fn png_frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let count = reader.info().animation_control().map_or(1, |control| control.num_frames);
    let (mut picture, mut frames) = (vec![0; 3 * width * height], Vec::new());
    for _ in 0..count {
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        let control = reader.info().frame_control().copied();
        let (left, top) = control.map_or((0, 0), |control| (control.x_offset as usize, control.y_offset as usize));
        let (w, bytes) = (info.width as usize, info.color_type.samples());
        for (i, pixel) in buffer[..info.buffer_size()].chunks_exact(bytes).enumerate() {
            let at = 3 * ((top + i / w) * width + left + i % w);
            if bytes == 3 || pixel[3] > 0 {
                picture[at..at + 3].copy_from_slice(&pixel[..3]);
            }
        }
        frames.push(picture.clone());
    }
    frames
}

#[test]
fn films_of_every_format_hold_the_same_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let env = folder.path().join("mark.wgsl");
    std::fs::write(&env, MARK).unwrap();
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    for name in ["a.gif", "a.apng", "a.png"] {
        film(env.to_str().unwrap(), &path(name), &[]);
    }
    let (gif, time) = gif_frames(&read("a.gif"));
    assert_eq!((gif.len(), time), (6, 60), "six frames in 0.6 s");
    assert_eq!(gif, png_frames(&read("a.apng")));
    assert_eq!(gif[5..], png_frames(&read("a.png")));
    // two tiles of 25 pixels and a gap beside each other: the first world's mark goes to the right until its episode ends
    let pixel = |frame: usize, x: usize, y: usize| &gif[frame][3 * (52 * y + x)..][..3];
    let (green, blue, white, truncated) = ([0, 255, 0], [0, 0, 255], [255; 3], [64, 128, 242]);
    for frame in 0..3 {
        assert_eq!(pixel(frame, 3 + 6 * frame, 5), white, "frame {frame}");
        assert_eq!(pixel(frame, 3 + 6 * ((frame + 1) % 4), 5), green, "frame {frame}");
        assert_eq!(pixel(frame, 3 + 6 * ((frame + 1) % 4), 20), blue, "frame {frame}");
    }
    assert_eq!((pixel(3, 0, 0), pixel(3, 21, 5)), (&truncated[..], &white[..]), "at the step limit");
    assert_eq!((pixel(4, 0, 0), pixel(4, 3, 5)), (&white[..], &white[..]), "the next episode");
    // the same again, and other worlds
    film(env.to_str().unwrap(), &path("b.gif"), &[]);
    film(env.to_str().unwrap(), &path("c.gif"), &["--set-env", "shift=1"]);
    assert!(read("a.gif") == read("b.gif") && read("a.gif") != read("c.gif"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6, "nothing else is left");
}

#[test]
fn what_cannot_be_filmed_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let out = path("film.gif");
    let with = |more: &[&'static str]| [&["render", "CartPole-v1", "-o", out.as_str()], more].concat();
    refused(
        &["render", "CartPole-v2", "-o", &out],
        2,
        &["CartPole-v2", "no run directory", "did you mean 'CartPole-v1'"],
    );
    refused(&with(&["--worlds", "0"]), 2, &["worlds", "at least 1"]);
    refused(&with(&["--worlds", "40000"]), 2, &["worlds", "40000", "in 800 pixels"]);
    refused(&with(&["--size", "9000"]), 2, &["size", "9000", "from 4 to 4096"]);
    refused(&with(&["--fps", "0"]), 2, &["fps", "from 0.1 to 240"]);
    refused(&with(&["--fps", "60"]), 2, &["film.gif", "50 frames a second", ".apng"]);
    refused(&with(&["--seconds", "inf"]), 2, &["seconds", "inf"]);
    refused(&with(&["--speed", "0"]), 2, &["speed", "from 1 to 10000"]);
    refused(&with(&["--set-env", "gravty=3"]), 2, &["gravty", "did you mean 'gravity'"]);
    refused(&["render", "CartPole-v1", "-o", &path("film.jpg")], 2, &["film.jpg", ".gif, .apng, .mp4 or .png"]);
    refused(&["render", "CartPole-v1", "-o", &path("none/film.gif")], 2, &["none/film.gif", "folder"]);
    let of_four = "-> vec4<f32> { return vec4<f32>(1.0); }\nfn other(s: State, p: vec2<f32>) -> vec3<f32> {";
    std::fs::write(path("wrong.wgsl"), MARK.replace("-> vec3<f32> {", of_four)).unwrap();
    let wrong = path("wrong.wgsl");
    refused(
        &["render", &wrong, "-o", &out],
        2,
        &["env_pixel", "expected `fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32>`"],
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
    let output = command.args(["render", "CartPole-v1", "-o", &path("film.mp4")]).env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("ffmpeg writes .mp4, and it is not installed"), "{}", text(&output.stderr));
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
    let command =
        command.args(["render", "CartPole-v1", "--watch"]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    if cfg!(target_os = "linux") {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("no display") && said.contains("-o film.gif") && said.lines().count() == 1, "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a refused film has left something");
}
