//! Where a run stands: all that it needs to go on as if it had never stopped, beside its policy.

use crate::error::{Error, Result};
use crate::file;
use crate::gpu::Gpu;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Name of the file in a run directory.
pub const STATE_FILE: &str = "state.safetensors";

/// What the metadata call the layout.
const FORMAT: &str = "manyworlds-state-1";

/// Words of the buffers of a run after some updates. They mean something to a run of the same configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Updates that are finished.
    pub updates: u32,
    /// Hash of the parameters of the policy that it goes with.
    pub params_hash: String,
    /// Whether transitions are among them.
    pub ring: bool,
    words: Vec<(String, Vec<u32>)>,
}

impl State {
    pub(super) fn new(updates: u32, params_hash: String, ring: bool, words: Vec<(String, Vec<u32>)>) -> Self {
        Self { updates, params_hash, ring, words }
    }

    /// Writes the buffers of a run, which have these names.
    ///
    /// # Errors
    /// [`Error::Setting`] where one is missing or has another size: the run is of another configuration.
    pub(super) fn restore(&self, gpu: &Gpu, buffers: &[(String, &wgpu::Buffer)]) -> Result<()> {
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
        file::replace(path, &self.serialize(path)?)
    }

    /// The bytes of a file that goes to `path`.
    pub(super) fn serialize(&self, path: &Path) -> Result<Vec<u8>> {
        let failed = |error: safetensors::SafeTensorError| Error::file("write", path, &std::io::Error::other(error));
        let bytes: Vec<(&String, Vec<u8>)> = self
            .words
            .iter()
            .map(|(name, words)| (name, words.iter().flat_map(|word| word.to_le_bytes()).collect()))
            .collect();
        let views = bytes
            .iter()
            .map(|(name, data)| Ok((*name, TensorView::new(Dtype::U32, vec![data.len() / 4], data)?)))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(failed)?;
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("updates".to_owned(), self.updates.to_string()),
            ("params_hash".to_owned(), self.params_hash.clone()),
            ("ring".to_owned(), self.ring.to_string()),
        ]);
        safetensors::serialize(views, Some(metadata)).map_err(failed)
    }

    /// Reads the state in a run directory.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Checkpoint`] where it is not one of ours or is damaged.
    pub fn load(directory: &Path) -> Result<Self> {
        let path: PathBuf = directory.join(STATE_FILE);
        let complain = |reason: String| Error::Checkpoint { path: path.clone(), reason };
        let data = std::fs::read(&path).map_err(|error| Error::file("read", &path, &error))?;
        let damaged = |error: safetensors::SafeTensorError| complain(format!("it is damaged or no state: {error}"));
        let (_, header) = SafeTensors::read_metadata(&data).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(&data).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let field =
            |name: &str| metadata.get(name).cloned().ok_or_else(|| complain(format!("its metadata lack '{name}'")));
        let format = field("format")?;
        if format != FORMAT {
            return Err(complain(format!("its format is '{format}', this version reads '{FORMAT}'")));
        }
        let mut words = Vec::new();
        for (name, tensor) in tensors.iter() {
            if tensor.dtype() != Dtype::U32 {
                return Err(complain(format!("'{name}' is {:?}, expected U32", tensor.dtype())));
            }
            let values = tensor.data().as_chunks::<4>().0;
            words.push((name.to_owned(), values.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect()));
        }
        let number = |text: String| text.parse().map_err(|_| complain(format!("its number of updates is '{text}'")));
        Ok(Self {
            updates: number(field("updates")?)?,
            params_hash: field("params_hash")?,
            ring: field("ring")? == "true",
            words,
        })
    }
}
