//! Files of a finished run cut short and with bits flipped. Each is refused by name with exit code 2, or passed over with a
//! word for an older whole one, from which the run comes to the same end.

use super::harness::{Draw, Plan, Score, Verdict, copy, ensure, ensure_no_silence, files, manyworlds, run};
use super::reference::{Reference, STEPS, resume};
use manyworlds::Error;
use manyworlds::train::{Policy, Resumed, RunDirectory};
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [&str; 2] = ["checkpoint.safetensors", "state.safetensors"];

struct Damaged {
    /// Without schedules, so that where it goes on from does not matter.
    reference: Reference,
    /// Its copy, in which files are damaged.
    out: PathBuf,
    /// Hash of the policies by updates.
    hashes: Vec<(u32, String)>,
    /// Hash after two more updates.
    longer: String,
}

pub fn inject(plan: &Plan, score: &mut Score) {
    let reference = Reference::new(6, &["eval_every=2", "anneal_lr=false", "learning_rate=0.0005"]);
    let out = reference.path("damaged");
    copy(&reference.out, &out);
    let hashes = [4, 6].map(|updates| {
        let policy = Policy::load(&reference.out.join(format!("checkpoints/{updates:010}"))).unwrap();
        (policy.updates, policy.hash())
    });
    let other = reference.path("longer");
    copy(&reference.out, &other);
    let longer = run(further(&other)).hash().unwrap();
    let damaged = Damaged { reference, out, hashes: hashes.to_vec(), longer };
    let mut draw = Draw(plan.seed);
    flips(&damaged, plan.pick(60, 1000), &mut draw, score);
    cuts(&damaged, plan.pick(20, 200), &mut draw, score);
    through_the_program(&damaged, plan.pick(3, 60), &mut draw, score);
    of_settings(&damaged, score);
}

fn further(run: &Path) -> std::process::Command {
    let mut command = resume(run);
    command.args(["--set", &format!("total_timesteps={}", 8 * STEPS)]);
    command
}

/// Flips single bits of both files: a third in the length of the header, the beginning of the header and its end, the
/// others anywhere.
fn flips(damaged: &Damaged, count: u64, draw: &mut Draw, score: &mut Score) {
    for name in FILES {
        let path = damaged.out.join(name);
        let sound = fs::read(&path).unwrap();
        let header = u64::from_le_bytes(*sound.first_chunk().unwrap());
        let length = sound.len() as u64;
        let parts = [(0, 8), (8, 200), (header - 64, header + 16), (8, header + 8), (header + 8, length), (0, length)];
        for n in 0..count {
            let (from, to) = parts[(n % 6) as usize];
            let (byte, bit) = (from + draw.below(to - from), draw.below(8));
            let mut bytes = sound.clone();
            bytes[byte as usize] ^= 1 << bit;
            fs::write(&path, bytes).unwrap();
            score.judge(format!("bit {bit} of byte {byte} of {name}"), damaged.is_noticed(name));
        }
        fs::write(&path, sound).unwrap();
    }
}

/// Cuts both files, under their short names and in the checkpoints, at lengths where something ends, and anywhere.
fn cuts(damaged: &Damaged, count: u64, draw: &mut Draw, score: &mut Score) {
    for path in files(&damaged.out) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let place = path.strip_prefix(&damaged.out).unwrap().display().to_string();
        // those that are looked at first, or when others are gone
        if !FILES.contains(&name) || place.starts_with("best") {
            continue;
        }
        let sound = fs::read(&path).unwrap();
        let header = u64::from_le_bytes(*sound.first_chunk().unwrap());
        let length = sound.len() as u64;
        let mut lengths =
            vec![0, 1, 7, 8, 9, 34, 35, 99, 109, 110, 130, header, header + 7, header + 8, header + 9, length - 1];
        lengths.extend((0..count).map(|_| draw.below(length)));
        for length in lengths {
            fs::write(&path, &sound[..length as usize]).unwrap();
            // a file in a checkpoint is looked at once those that are newer are gone
            let short = FILES.map(|name| damaged.out.join(name));
            if place.contains('/') {
                for path in &short {
                    fs::rename(path, path.with_extension("away")).unwrap();
                }
            }
            let verdict = damaged.is_noticed(name);
            if place.contains('/') {
                for path in &short {
                    fs::rename(path.with_extension("away"), path).unwrap();
                }
            }
            score.judge(format!("{place} cut to {length} bytes"), verdict);
        }
        fs::write(&path, sound).unwrap();
    }
}

impl Damaged {
    /// What the library makes of a directory in which one of the two files is damaged.
    fn is_noticed(&self, name: &str) -> Verdict {
        if name == FILES[0] {
            self.judge(name, Policy::load_with_notes(&self.out))?;
        }
        let resumed = RunDirectory::reopen(&self.out).and_then(|directory| Resumed::load(&directory));
        self.judge(name, resumed.map(|resumed| (resumed.policy, resumed.notes)))
    }

    fn judge(&self, name: &str, read: Result<(Policy, Vec<String>), Error>) -> Verdict {
        match read {
            Err(error) => {
                let text = error.to_string();
                ensure(error.exit_code() == 2 && text.contains(name), || format!("refused with {text}"))
            }
            Ok((policy, notes)) => {
                let known = self.hashes.contains(&(policy.updates, policy.hash()));
                ensure_no_silence(known, || format!("accepted as update {}", policy.updates))?;
                // a whole checkpoint that is behind damaged names is no wrong result, but it is to be said
                let said = notes.iter().any(|note| note.contains(name) || note.contains("checkpoints/"));
                ensure_no_silence(said, || format!("passed over without a word: {notes:?}"))
            }
        }
    }
}

/// The same through the program, to the end of a run.
fn through_the_program(damaged: &Damaged, count: u64, draw: &mut Draw, score: &mut Score) {
    let sources = files(&damaged.reference.out);
    for _ in 0..count {
        copy(&damaged.reference.out, &damaged.out);
        let source = &sources[draw.below(sources.len() as u64) as usize];
        let place = source.strip_prefix(&damaged.reference.out).unwrap();
        let sound = fs::read(source).unwrap();
        let (at, flip) = (draw.below(sound.len() as u64), draw.below(2) == 0);
        let mut bytes = sound.clone();
        if flip {
            bytes[at as usize] ^= 1 << draw.below(8);
        } else {
            bytes.truncate(at as usize);
        }
        fs::write(damaged.out.join(place), bytes).unwrap();
        let what = if flip { "flipped at" } else { "cut to" };
        score.judge(format!("{} {what} {at}", place.display()), outcome(damaged, place));
    }
    copy(&damaged.reference.out, &damaged.out);
}

fn outcome(damaged: &Damaged, place: &Path) -> Verdict {
    let name = place.file_name().unwrap().to_str().unwrap();
    let read = FILES.contains(&name) && place.components().count() == 1;
    let mut eval = manyworlds(["eval", "--episodes", "8"]);
    eval.arg(&damaged.out);
    let ended = run(eval);
    if name == FILES[0] && read {
        ended.is_sound(&[0, 2])?;
        let said = ended.err.contains(name);
        ensure_no_silence(ended.code == Some(2) || said, || format!("eval says nothing of {name}: {}", ended.shown()))?;
        ensure(said, || ended.shown())?;
    } else {
        // neither the state nor older checkpoints are needed to play
        ended.is_sound(&[0])?;
    }
    let ended = run(further(&damaged.out));
    if ended.code == Some(2) && read {
        ended.is_sound(&[2])?;
        return ensure(ended.err.contains(name), || format!("{name} is not named: {}", ended.shown()));
    }
    ended.is_sound(&[0])?;
    let hash = ended.hash();
    ensure_no_silence(hash.as_ref() == Some(&damaged.longer), || format!("{hash:?}, not {}", damaged.longer))?;
    ensure_no_silence(!read || ended.err.contains(name), || format!("nothing is said of {name}: {}", ended.shown()))
}

/// Settings as a file that is no longer what it was: bytes that are no settings are refused with the file's name.
fn of_settings(damaged: &Damaged, score: &mut Score) {
    let sound = fs::read(damaged.reference.out.join("config.toml")).unwrap();
    let file = damaged.reference.path("settings.toml");
    let out = damaged.reference.path("of settings");
    let half = [&sound[..sound.len() / 2], &b"\n= ="[..]].concat();
    let noise = [&sound[..], &[0xff, 0xfe, 0]].concat();
    for (what, bytes) in [("cut within a word", half), ("with bytes that are no text", noise)] {
        fs::write(&file, bytes).unwrap();
        let mut command = manyworlds(["train", "TwoAction", "--config"]);
        command.arg(&file).arg("--out").arg(&out);
        let ended = run(command);
        let verdict = ended
            .is_sound(&[2])
            .and_then(|()| ensure(ended.err.contains("settings.toml") && !out.exists(), || ended.shown()));
        score.judge(format!("settings {what}"), verdict);
    }
}
