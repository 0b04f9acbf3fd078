//! Files that are written as a whole or not at all, and read within a bound.

use crate::error::{Error, Result};
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a regular file of at most `most` bytes. Devices, pipes and directories are refused, no writer is waited
/// for, and no more than `most` bytes are ever held, whatever the file says of its size.
///
/// # Errors
/// [`Error::File`].
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path, most)?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| Error::file("read", path, &error))?;
    if bytes.len() as u64 > most {
        let reason = format!("it has more than {most} bytes, which is what is allowed");
        return Err(Error::File { action: "read", path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// A regular file of at most `most` bytes, opened to be read, and its length.
///
/// # Errors
/// [`Error::File`], as of [`read`].
pub(crate) fn open(path: &Path, most: u64) -> Result<(File, u64)> {
    let failed = |error: std::io::Error| Error::file("read", path, &error);
    let refuse = |reason: String| Err(Error::File { action: "read", path: path.to_owned(), reason });
    // looked at before it is opened, since opening a device can do things, and again after, since names can change
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() {
        return refuse(format!("it is not a file but {}", kind_of(kind)));
    }
    let file = open_at_once(path).map_err(failed)?;
    let found = regular(&file, path)?;
    if found.len() > most {
        return refuse(format!("it has {} bytes; at most {most} are allowed", found.len()));
    }
    Ok((file, found.len()))
}

/// What the system says of an open file, if it is a regular one.
///
/// # Errors
/// [`Error::File`] if it is something else.
pub(crate) fn regular(file: &File, path: &Path) -> Result<Metadata> {
    let found = file.metadata().map_err(|error| Error::file("read", path, &error))?;
    if found.is_file() {
        return Ok(found);
    }
    let reason = format!("it is not a file but {}", kind_of(found.file_type()));
    Err(Error::File { action: "read", path: path.to_owned(), reason })
}

/// The text of a UTF-8 file, read like [`read`].
///
/// # Errors
/// [`Error::File`].
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let reason = format!("it is not UTF-8 text: byte {} does not fit", error.utf8_error().valid_up_to());
        Error::File { action: "read", path: path.to_owned(), reason }
    })
}

/// Opens a file to read it, without waiting for the writer of what has become a pipe.
fn open_at_once(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.open(path)
}

fn kind_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a directory" } else { "something else" }
}

/// Most bytes that wait for a disk that takes nothing.
const MOST_WAITING: usize = 16 << 20;

/// A file that whole records are appended to. What the disk does not take waits and is tried again with the next records; half a
/// record is never left.
#[derive(Debug)]
pub(crate) struct Growing {
    path: PathBuf,
    file: File,
    /// Bytes of whole records.
    length: u64,
    waiting: Vec<u8>,
}

impl Growing {
    /// A file that is made if need be, and goes on behind so many bytes.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn open(path: &Path, length: u64) -> Result<Self> {
        let failed = |error: std::io::Error| Error::file("write", path, &error);
        let file = File::options().create(true).append(true).open(path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, length, waiting: Vec::new() })
    }

    /// Lets a record wait for the next [`Growing::write`]; false where too much waits already, and it is lost.
    pub fn push(&mut self, record: &[u8]) -> bool {
        let room = self.waiting.len() + record.len() < MOST_WAITING;
        if room {
            self.waiting.extend_from_slice(record);
        }
        room
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take it; it waits on.
    pub fn write(&mut self) -> Result<()> {
        if let Err(error) = self.file.write_all(&self.waiting) {
            let _ = self.file.set_len(self.length);
            return Err(Error::file("write", &self.path, &error));
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// What waits.
    pub fn waiting(&self) -> &[u8] {
        &self.waiting
    }
}

/// Refuses a file whose folder is not there, before the work for it is done.
///
/// # Errors
/// [`Error::File`].
pub fn check_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    folder.map_or(Ok(()), |folder| {
        let reason = format!("there is no folder {}; make it first", folder.display());
        Err(Error::File { action: "create", path: path.to_owned(), reason })
    })
}

/// Refuses a file that cannot be written, before the work for it is done: its folder is not there, it is a directory, or it is
/// there and read-only.
///
/// # Errors
/// [`Error::File`].
pub fn check_target(path: &Path) -> Result<()> {
    check_folder(path)?;
    let refuse = |reason: &str| Err(Error::File { action: "create", path: path.to_owned(), reason: reason.to_owned() });
    match std::fs::metadata(path) {
        _ if path.file_name().is_none() => refuse("it is no name of a file"),
        Ok(found) if found.is_dir() => refuse("it is a directory; name a file in it"),
        Ok(found) if found.permissions().readonly() => refuse("it is there and read-only; choose another file"),
        _ => Ok(()),
    }
}

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

#[cfg(test)]
mod tests {
    use super::{read, read_text};
    use std::path::Path;

    #[test]
    fn files_are_read_within_their_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("words");
        std::fs::write(&path, b"four").expect("written");
        assert_eq!(read(&path, 4).expect("within"), b"four");
        let error = read(&path, 3).expect_err("over").to_string();
        assert!(error.contains("it has 4 bytes; at most 3 are allowed"), "{error}");
        std::fs::write(&path, [b'a', 0xff]).expect("written");
        let error = read_text(&path, 4).expect_err("no text").to_string();
        assert!(error.contains("not UTF-8 text: byte 1"), "{error}");
        let error = read(folder.path(), 4).expect_err("a folder").to_string();
        assert!(error.contains("it is not a file but a directory"), "{error}");
        assert!(read(Path::new("/nowhere/at/all"), 4).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_and_what_grows_while_it_is_read_are_refused() {
        let error = read(Path::new("/dev/zero"), 4).expect_err("a device").to_string();
        assert!(error.contains("it is not a file but a device"), "{error}");
        // such files have no size of their own
        let error = read(Path::new("/proc/self/environ"), 1).expect_err("over").to_string();
        assert!(error.contains("more than 1 bytes"), "{error}");
    }
}
