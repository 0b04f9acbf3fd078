//! Where a run stands: all that it needs to go on as if it had never stopped, beside its policy.

use super::tensors::{self, Array, Fault, Whole, complaint};
use crate::error::{Error, Result, shown};
use crate::file;
use crate::gpu::Gpu;
use safetensors::Dtype;
use std::io::Write;
use std::path::Path;

/// Name of the file in a run directory.
pub const STATE_FILE: &str = "state.safetensors";

/// What the metadata call the layout.
const FORMAT: &str = "manyworlds-state-3";
/// Most bytes of a state that are read where nothing is known of its run.
const MOST_BYTES: u64 = 64 << 30;

/// Words of the buffers of a run after some updates. They mean something to a run of the same configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Updates that are finished.
    pub updates: u32,
    /// Updates of the whole run, which its schedules were made for.
    pub num_updates: u32,
    /// Steps that all worlds of the first agent have made by then.
    pub env_steps: u64,
    /// Hash of the parameters of the policy that it goes with.
    pub params_hash: String,
    /// Whether transitions are among them.
    pub ring: bool,
    words: Vec<(String, Vec<u32>)>,
}

impl State {
    pub(super) fn new(
        updates: u32,
        num_updates: u32,
        env_steps: u64,
        params_hash: String,
        ring: bool,
        words: Vec<(String, Vec<u32>)>,
    ) -> Self {
        Self { updates, num_updates, env_steps, params_hash, ring, words }
    }

    /// The same with other words in the place of these.
    pub(super) fn changed(&self, change: impl Fn(&str, &[u32]) -> Result<Vec<u32>>) -> Result<Self> {
        let words = self.words.iter().map(|(name, words)| Ok((name.clone(), change(name, words)?)));
        Ok(Self { words: words.collect::<Result<Vec<_>>>()?, ..self.clone() })
    }

    /// Writes the buffers of a run, which have these names.
    ///
    /// # Errors
    /// [`Error::Setting`] where one is missing or has another size: the run is of another configuration.
    pub(super) fn restore(&self, gpu: &Gpu, buffers: &[(&str, &wgpu::Buffer)]) -> Result<()> {
        if let Some((name, _)) = self.words.iter().find(|(name, _)| !buffers.iter().any(|(known, _)| known == name)) {
            let reason = format!("'{name}' was kept, and there is none now; resume with the same settings");
            return Err(Error::setting("resume", reason));
        }
        // all or nothing
        let mut found = Vec::new();
        for (name, buffer) in buffers {
            let words = self.words.iter().find(|(known, _)| known == name).map(|(_, words)| words);
            match words {
                Some(words) if 4 * words.len() as u64 == buffer.size() => found.push((buffer, words)),
                Some(words) => {
                    let (kept, wanted) = (4 * words.len(), buffer.size());
                    let reason = format!(
                        "'{name}' was kept with {kept} bytes and has {wanted} now; resume with the same settings"
                    );
                    return Err(Error::setting("resume", reason));
                }
                None => {
                    let reason = format!("'{name}' was not kept; resume with the same settings");
                    return Err(Error::setting("resume", reason));
                }
            }
        }
        for (buffer, words) in found {
            gpu.queue().write_buffer(buffer, 0, bytemuck::cast_slice(words));
        }
        Ok(())
    }

    /// Writes a file; an existing one is replaced as a whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).map_err(|error| Error::file("write", path, &error))?;
        file::replace(path, &bytes)
    }

    /// Writes the bytes of a file. Equal states give equal bytes.
    pub(super) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let arrays: Vec<Array> = self
            .words
            .iter()
            .map(|(name, words)| Array {
                name,
                dtype: Dtype::U32,
                shape: vec![words.len()],
                data: bytemuck::cast_slice(words),
            })
            .collect();
        let metadata = [
            ("format", FORMAT.to_owned()),
            ("version", tensors::VERSION.to_owned()),
            ("updates", self.updates.to_string()),
            ("num_updates", self.num_updates.to_string()),
            ("env_steps", self.env_steps.to_string()),
            ("params_hash", self.params_hash.clone()),
            ("ring", self.ring.to_string()),
        ];
        tensors::write(&metadata, &arrays, to)
    }

    /// Reads the state in a directory.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Checkpoint`] where it is missing, not one of ours, of a newer version,
    /// or damaged: its BLAKE3 is checked before anything else.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join(STATE_FILE);
        Self::read(&path, MOST_BYTES).map_err(|fault| fault.into_error(&path))
    }

    /// Reads a file of at most `most` bytes.
    pub(super) fn read(path: &Path, most: u64) -> std::result::Result<Self, Fault> {
        let whole = Whole::read(path, FORMAT, most)?;
        Self::from_file(&whole, path).map_err(Fault::Refused)
    }

    fn from_file(file: &Whole, path: &Path) -> Result<Self> {
        let complain = |reason: String| complaint(path, &reason);
        let arrays = file.arrays()?;
        let mut words = Vec::new();
        for (name, array) in arrays.iter() {
            if array.dtype() != Dtype::U32 {
                return Err(complain(format!("'{name}' is {:?}, expected U32", array.dtype())));
            }
            let values = array.data().as_chunks::<4>().0;
            words.push((shown(name), values.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect()));
        }
        let number = |name: &str| -> Result<u64> {
            let text = file.field(name)?;
            text.parse().map_err(|_| complain(format!("its '{name}' is '{text}'")))
        };
        let count = |name: &str| -> Result<u32> {
            let number = number(name)?;
            u32::try_from(number).map_err(|_| complain(format!("its '{name}' is '{number}'")))
        };
        Ok(Self {
            updates: count("updates")?,
            num_updates: count("num_updates")?,
            env_steps: number("env_steps")?,
            params_hash: file.field("params_hash")?.to_owned(),
            ring: file.field("ring")? == "true",
            words,
        })
    }
}
