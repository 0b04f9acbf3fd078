//! Files that are there as a whole or not at all.

use crate::error::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes a file; an existing one is replaced as a whole or not at all.
///
/// # Errors
/// [`Error::File`].
pub fn replace(path: &Path, data: &[u8]) -> Result<()> {
    replace_all(&[(path, data)])
}

/// The same for files of one folder that go together: none is replaced before all are on the disk.
///
/// # Errors
/// [`Error::File`].
pub fn replace_all(files: &[(&Path, &[u8])]) -> Result<()> {
    let mut written = Vec::new();
    for &(path, data) in files {
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
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        written.push((path, file));
    }
    for (path, file) in written {
        file.persist(path).map_err(|error| Error::file("write", path, &error.error))?;
    }
    Ok(())
}
