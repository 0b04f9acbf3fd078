//! Files of films: GIF, animated PNG, MP4, and a PNG of the last frame. They are whole or not there.

use super::film::{Changes, Film, bounds, rgb};
use crate::error::shown;
use crate::{Error, Result, file};
use color_quant::NeuQuant;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Colours of a GIF's palette beside the one that stands for what does not change.
const COLOURS: usize = 255;
/// The place of that one.
const UNCHANGED: u8 = 255;
/// The most frequent colours of a film with more are kept as they are.
const EXACT: usize = 64;
/// Pixels that the others are learned from, about.
const LEARNED_FROM: f64 = 100_000.0;
/// Most frames a second that players of GIFs show.
const GIF_FPS: f64 = 50.0;

/// What a film is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Gif,
    Apng,
    Png,
    Mp4,
}

impl Format {
    /// That of a file, by the ending of its name.
    pub fn of(path: &Path, fps: f64) -> Result<Self> {
        let shown = shown(path.display());
        let refuse =
            |reason: String| Err(Error::Setting { name: "output".to_owned(), reason: format!("'{shown}': {reason}") });
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let format = match ending.as_deref() {
            Some("gif") => Self::Gif,
            Some("apng") => Self::Apng,
            Some("png") => Self::Png,
            Some("mp4") => Self::Mp4,
            _ => return refuse("its name must end in .gif, .apng, .mp4 or .png (the last frame)".to_owned()),
        };
        if format == Self::Gif && fps > GIF_FPS {
            return refuse(format!(
                "a GIF shows at most {GIF_FPS} frames a second, and --fps is {fps}; .apng and .mp4 do"
            ));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return refuse("its folder is not there; make it first".to_owned());
        }
        if path.is_dir() {
            return refuse("it is a folder".to_owned());
        }
        if format == Self::Mp4 {
            let found = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.is_err() {
                return refuse(
                    "ffmpeg writes .mp4, and it is not installed; install it, or write .gif or .apng".to_owned(),
                );
            }
        }
        Ok(format)
    }

    /// Writes a film; returns the bytes of its file.
    pub fn write(self, film: &Film, path: &Path) -> Result<u64> {
        let failed = |reason: String| Error::File { action: "write", path: path.to_owned(), reason };
        let bytes = match self {
            Self::Gif => gif(film).map_err(|error| failed(error.to_string()))?,
            Self::Apng => apng(film).map_err(|error| failed(error.to_string()))?,
            Self::Png => png(film).map_err(|error| failed(error.to_string()))?,
            Self::Mp4 => mp4(film).map_err(failed)?,
        };
        file::replace(path, &bytes)?;
        Ok(bytes.len() as u64)
    }
}

/// Colours of a film, and how often each comes up in what changes.
fn histogram(film: &Film) -> HashMap<u32, u64> {
    let mut counts = HashMap::new();
    for (_, words) in film.frames().iter().flat_map(Changes::runs) {
        for word in words {
            *counts.entry(*word).or_insert(0) += 1;
        }
    }
    counts
}

/// A palette of at most [`COLOURS`] for a film, and the place in it of each colour.
fn palette(film: &Film) -> (Vec<[u8; 3]>, HashMap<u32, u8>) {
    let mut counts: Vec<(u32, u64)> = histogram(film).into_iter().collect();
    // the order must not follow from that of a hash map
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    if counts.len() <= COLOURS {
        let places = counts.iter().zip(0..).map(|((word, _), i)| (*word, i)).collect();
        return (counts.iter().map(|(word, _)| rgb(*word)).collect(), places);
    }
    let (exact, rest) = counts.split_at(EXACT);
    // rare colours count more than their number, or small things would fade
    let weight = |count: u64| (count as f64).sqrt();
    let scale = LEARNED_FROM / rest.iter().map(|(_, count)| weight(*count)).sum::<f64>().max(1.0);
    let mut bytes = Vec::new();
    for (word, count) in rest {
        let [r, g, b] = rgb(*word);
        for _ in 0..(scale * weight(*count)).ceil() as usize {
            bytes.extend_from_slice(&[r, g, b, 255]);
        }
    }
    let learned = NeuQuant::new(3, COLOURS - EXACT, &bytes);
    let mut colours: Vec<[u8; 3]> = exact.iter().map(|(word, _)| rgb(*word)).collect();
    colours.extend(learned.color_map_rgb().chunks_exact(3).map(|c| [c[0], c[1], c[2]]));
    let distance = |a: [u8; 3], b: [u8; 3]| -> i32 {
        let of = |i: usize| (i32::from(a[i]) - i32::from(b[i])).pow(2);
        3 * of(0) + 4 * of(1) + 2 * of(2)
    };
    let nearest = |word: u32| {
        let own = rgb(word);
        (0..colours.len()).min_by_key(|&i| distance(colours[i], own)).unwrap_or(0) as u8
    };
    let places = counts.iter().map(|(word, _)| (*word, nearest(*word))).collect();
    (colours, places)
}

/// A GIF with one palette, whose frames hold the rectangles that change and leave out what does not within them.
fn gif(film: &Film) -> std::result::Result<Vec<u8>, gif::EncodingError> {
    let (width, height) = (film.width as usize, film.height as usize);
    let (mut colours, places) = palette(film);
    colours.resize(COLOURS + 1, [0; 3]);
    let mut encoder = gif::Encoder::new(Vec::new(), width as u16, height as u16, &colours.concat())?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    // a place that no colour has: all of the first frame changes
    let mut shown = vec![UNCHANGED; width * height];
    let mut waiting: Option<(gif::Frame<'static>, usize)> = None;
    // in hundredths of a second from the beginning, so that nothing is lost by rounding
    let time = |frame: usize| (100.0 * frame as f64 / film.fps).round() as u64;
    let delay = |from: usize, to: usize| u16::try_from((time(to) - time(from)).max(1)).unwrap_or(u16::MAX);
    let count = film.frames().len();
    for (n, changes) in film.frames().iter().enumerate() {
        let mut changed = Vec::new();
        for (first, words) in changes.runs() {
            for (i, word) in words.iter().enumerate() {
                let place = places[word];
                if shown[first + i] != place {
                    shown[first + i] = place;
                    changed.push(first + i);
                }
            }
        }
        let Some([left, top, w, h]) = bounds(width, changed.iter().copied()) else { continue };
        let mut buffer = vec![UNCHANGED; w * h];
        for at in changed {
            buffer[(at / width - top) * w + at % width - left] = shown[at];
        }
        if let Some((frame, from)) = waiting.take() {
            encoder.write_frame(&gif::Frame { delay: delay(from, n), ..frame })?;
        }
        let frame = gif::Frame {
            left: left as u16,
            top: top as u16,
            width: w as u16,
            height: h as u16,
            dispose: gif::DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            buffer: Cow::Owned(buffer),
            ..gif::Frame::default()
        };
        waiting = Some((frame, n));
    }
    if let Some((frame, from)) = waiting {
        encoder.write_frame(&gif::Frame { delay: delay(from, count), ..frame })?;
    }
    encoder.into_inner()
}

/// A PNG of the last frame.
fn png(film: &Film) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, film.width, film.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&film.last().iter().flat_map(|word| rgb(*word)).collect::<Vec<u8>>())?;
    writer.finish()?;
    Ok(bytes)
}

/// An animated PNG, whose frames hold the rectangles that change.
fn apng(film: &Film) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let width = film.width as usize;
    // (first frame, rectangle); a frame in which nothing changes makes the one before it longer
    let places = |changes: &Changes| -> Vec<usize> {
        changes.runs().flat_map(|(first, words)| first..first + words.len()).collect()
    };
    let boxes: Vec<(usize, [usize; 4])> = (film.frames().iter().enumerate())
        .filter_map(|(n, changes)| Some((n, bounds(width, places(changes).into_iter())?)))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, film.width, film.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(boxes.len() as u32, 0)?;
    let mut writer = encoder.write_header()?;
    let ends = boxes.iter().skip(1).map(|(n, _)| *n).chain([film.frames().len()]);
    for ((n, [left, top, w, h]), end) in boxes.iter().copied().zip(ends) {
        let ms = |frame: usize| (1000.0 * frame as f64 / film.fps).round() as u64;
        writer.set_frame_delay(u16::try_from(ms(end) - ms(n)).unwrap_or(u16::MAX), 1000)?;
        writer.reset_frame_position()?; // of the frame before, which this one's size need not fit
        writer.set_frame_dimension(w as u32, h as u32)?;
        writer.set_frame_position(left as u32, top as u32)?;
        writer.set_blend_op(if n == 0 { png::BlendOp::Source } else { png::BlendOp::Over })?;
        let mut buffer = vec![0_u8; 4 * w * h];
        for (first, words) in film.frames()[n].runs() {
            for (i, word) in words.iter().enumerate() {
                let at = first + i;
                let to = 4 * ((at / width - top) * w + at % width - left);
                buffer[to..to + 4].copy_from_slice(&word.to_le_bytes());
            }
        }
        writer.write_image_data(&buffer)?;
    }
    writer.finish()?;
    Ok(bytes)
}

/// An MP4 by ffmpeg, which gets the frames as they are.
fn mp4(film: &Film) -> std::result::Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("film.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba"]);
    command.args(["-s", &format!("{}x{}", film.width, film.height), "-r", &film.fps.to_string(), "-i", "-"]);
    // players want even sides, and 4:2:0
    command.args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-y"]);
    command.arg(&path).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("ffmpeg cannot be started: {error}"))?;
    let mut sent = Ok(());
    if let Some(mut pipe) = child.stdin.take() {
        let mut picture = vec![0; film.last().len()];
        for changes in film.frames() {
            changes.apply(&mut picture);
            let bytes: Vec<u8> = picture.iter().flat_map(|word| word.to_le_bytes()).collect();
            sent = pipe.write_all(&bytes);
            if sent.is_err() {
                break;
            }
        }
    }
    let done = child.wait_with_output().map_err(|error| format!("ffmpeg: {error}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        return Err(format!("ffmpeg ended with {}: {}", done.status, last.trim()));
    }
    match sent {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(format!("ffmpeg: {error}")),
        _ => {}
    }
    std::fs::read(&path).map_err(|error| format!("ffmpeg left no film: {error}"))
}
