//! Files that are there as a whole or not at all.

use crate::error::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes a file; an existing one is replaced as a whole or not at all.
///
/// # Errors
/// [`Error::File`].
pub fn replace(path: &Path, data: &[u8]) -> Result<()> {
    let failed = |error: &std::io::Error| Error::file("write", path, error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // beside the other files of a run: readable by all, as the user's mask allows
    #[cfg(unix)]
    let builder = {
        let mut builder = tempfile::Builder::new();
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        builder
    };
    #[cfg(not(unix))]
    let builder = tempfile::Builder::new();
    let mut file = builder.tempfile_in(folder).map_err(|error| failed(&error))?;
    file.write_all(data).map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}
