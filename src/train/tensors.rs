//! The files of a run: safetensors whose header is in a fixed order and holds a digest of every byte.
//!
//! ```text
//! n (8 bytes)  {"__metadata__":{"blake3":"64 digits","bytes":"20 digits","format":…},"tensor":…}  spaces  tensors
//! ```
//!
//! `blake3` is the BLAKE3 of the whole file with its own digits written as `0`, `bytes` the length of the file; both lie at
//! the same place in every file. So what a crash leaves (a file that ends too soon) can be told from what was altered.

use crate::error::{Error, Result};
use crate::file;
use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensors};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;

/// How every file begins, behind the length of its header.
const BEGINNING: &[u8] = b"{\"__metadata__\":{\"blake3\":\"";
/// Place and length of the digest.
const DIGEST: std::ops::Range<usize> = 8 + BEGINNING.len()..8 + BEGINNING.len() + 64;
/// What stands between the digest and the length.
const BETWEEN: &[u8] = b"\",\"bytes\":\"";
/// Place of the length of the file.
const BYTES: std::ops::Range<usize> = DIGEST.end + BETWEEN.len()..DIGEST.end + BETWEEN.len() + 20;
/// Most bytes of a header: an environment's text is bounded too.
const MOST_HEADER: usize = 16 << 20;
/// Version of this program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is missing, empty or ends too soon, as after a crash.
    Torn(String),
    /// Anything else.
    Refused(Error),
}

impl Fault {
    /// As an error where there is nothing to fall back to.
    pub fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Torn(reason) => Error::Checkpoint { path: path.to_owned(), reason },
            Self::Refused(error) => error,
        }
    }
}

/// A named array of a file.
pub(super) struct Array<'a> {
    pub name: &'a str,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: &'a [u8],
}

/// A map that is written in the order of its entries.
struct Ordered<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Ordered<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
struct Description<'a> {
    dtype: Dtype,
    shape: &'a [usize],
    data_offsets: [usize; 2],
}

/// Length of the header, and the header with this digest and this length of the file.
fn header(metadata: &[(&str, String)], arrays: &[Array], digest: &str, bytes: usize) -> io::Result<Vec<u8>> {
    let own = [("blake3", digest.to_owned()), ("bytes", format!("{bytes:020}"))];
    let metadata: Vec<(&str, &String)> = own.iter().chain(metadata).map(|(name, value)| (*name, value)).collect();
    let mut json = b"{\"__metadata__\":".to_vec();
    serde_json::to_writer(&mut json, &Ordered(&metadata))?;
    let mut at = 0;
    for Array { name, dtype, shape, data } in arrays {
        json.push(b',');
        serde_json::to_writer(&mut json, name)?;
        json.push(b':');
        let data_offsets = [at, at + data.len()];
        serde_json::to_writer(&mut json, &Description { dtype: *dtype, shape, data_offsets })?;
        at += data.len();
    }
    json.push(b'}');
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend(json);
    Ok(header)
}

/// Writes a file. Equal metadata and arrays give equal bytes.
pub(super) fn write(metadata: &[(&str, String)], arrays: &[Array], to: &mut impl Write) -> io::Result<()> {
    let none = "0".repeat(DIGEST.len());
    let data: usize = arrays.iter().map(|array| array.data.len()).sum();
    let bytes = header(metadata, arrays, &none, 0)?.len() + data;
    let first = header(metadata, arrays, &none, bytes)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&first);
    for array in arrays {
        hasher.update(array.data);
    }
    let digest = hasher.finalize().to_hex();
    to.write_all(&header(metadata, arrays, &digest, bytes)?)?;
    arrays.iter().try_for_each(|array| to.write_all(array.data))
}

/// A file that is whole: its bytes are those that were written.
pub(super) struct Whole {
    data: Vec<u8>,
    metadata: HashMap<String, String>,
    path: std::path::PathBuf,
}

impl Whole {
    /// Reads a file of this format and of at most `most` bytes, the header before the rest.
    pub fn read(path: &Path, format: &str, most: u64) -> std::result::Result<Self, Fault> {
        if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Err(Fault::Torn("it is missing".to_owned()));
        }
        let (file, length) = file::open(path, most).map_err(Fault::Refused)?;
        Self::from_reader(path, format, file, length)
    }

    /// The same of bytes that were read before; `path` is where they were, which is not looked at.
    pub fn from_bytes(path: &Path, format: &str, bytes: &[u8]) -> std::result::Result<Self, Fault> {
        Self::from_reader(path, format, bytes, bytes.len() as u64)
    }

    fn from_reader(path: &Path, format: &str, mut file: impl Read, length: u64) -> std::result::Result<Self, Fault> {
        let altered = |reason: String| Fault::Refused(complaint(path, &format!("it was altered: {reason}")));
        let unreadable = |error: &io::Error| Fault::Refused(Error::file("read", path, error));
        let mut data = Vec::new();
        let beginning = (8 + MOST_HEADER as u64).min(length);
        Read::by_ref(&mut file).take(beginning).read_to_end(&mut data).map_err(|error| unreadable(&error))?;
        let cut = |what: &str| Err(Fault::Torn(format!("it ends too soon: it has {length} bytes{what}")));
        if data.iter().all(|&byte| byte == 0) {
            return Err(Fault::Torn(
                if data.is_empty() { "it is empty" } else { "it holds nothing but zeros" }.to_owned(),
            ));
        }
        let same = |at: usize, expected: &[u8]| data.iter().skip(at).zip(expected).all(|(a, b)| a == b);
        if !same(8, BEGINNING) || !same(DIGEST.end, BETWEEN) {
            return Err(Fault::Refused(foreign(path, &data, format)));
        }
        let claimed = data.first_chunk().map_or(u64::MAX, |n| u64::from_le_bytes(*n));
        // where the header really ends
        let mut parsed = serde_json::Deserializer::from_slice(data.get(8..).unwrap_or_default()).into_iter();
        let found: Option<serde_json::Result<serde::de::IgnoredAny>> = parsed.next();
        let end = match found {
            Some(Ok(_)) => parsed.byte_offset(),
            Some(Err(error)) if error.is_eof() && claimed > length.saturating_sub(8) => {
                return cut(", not all of its header");
            }
            None => return cut(""),
            Some(Err(error)) => return Err(altered(format!("its header cannot be read: {error}"))),
        };
        let padded = end.next_multiple_of(8);
        if claimed != padded as u64 {
            return Err(altered(format!("it calls its header {claimed} bytes long, and that has {padded}")));
        }
        let declared = std::str::from_utf8(&data[BYTES]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let Some(bytes) = declared.and_then(|text| text.parse::<u64>().ok()) else {
            return Err(altered("its length is no number".to_owned()));
        };
        let header: Metadata = serde_json::from_slice(&data[8..8 + end])
            .map_err(|error| altered(format!("its header cannot be read: {error}")))?;
        if bytes != (8 + padded as u64).saturating_add(header.data_len() as u64) {
            return Err(altered(format!("its length is called {bytes} bytes, which does not fit its arrays")));
        }
        if length < bytes {
            return cut(&format!(" of {bytes}"));
        }
        if length > bytes {
            return Err(altered(format!("it has {length} bytes instead of {bytes}")));
        }
        let rest = (bytes as usize).saturating_sub(data.len());
        if data.try_reserve_exact(rest).is_err() {
            let reason = format!("it has {bytes} bytes, and memory for them is not to be had");
            return Err(Fault::Refused(Error::File { action: "read", path: path.to_owned(), reason }));
        }
        file.take(rest as u64).read_to_end(&mut data).map_err(|error| unreadable(&error))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&data[..DIGEST.start]).update("0".repeat(DIGEST.len()).as_bytes()).update(&data[DIGEST.end..]);
        if hasher.finalize().to_hex().as_bytes() != &data[DIGEST] {
            return Err(altered("its BLAKE3 is not that of its bytes".to_owned()));
        }
        let metadata = header.metadata().clone().unwrap_or_default();
        let whole = Self { data, metadata, path: path.to_owned() };
        whole.check_format(format).map_err(Fault::Refused)?;
        Ok(whole)
    }

    /// A value of the metadata.
    pub fn field(&self, name: &str) -> Result<&str> {
        let lacks = || complaint(&self.path, &format!("its metadata lack '{name}'; it was not made by manyworlds"));
        self.metadata.get(name).map(String::as_str).ok_or_else(lacks)
    }

    /// Refuses another format, and what a newer program has written.
    fn check_format(&self, format: &str) -> Result<()> {
        let (found, version) = (self.field("format")?, self.field("version")?);
        if found == format && !is_newer(version, VERSION) {
            return Ok(());
        }
        Err(complaint(&self.path, &other_format(found, Some(version), format)))
    }

    /// The arrays.
    pub fn arrays(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.data).map_err(|error| complaint(&self.path, &format!("it is damaged: {error}")))
    }
}

/// What a file is that does not begin as ours do.
fn foreign(path: &Path, data: &[u8], expected: &str) -> Error {
    #[derive(serde::Deserialize)]
    struct Header {
        __metadata__: HashMap<String, String>,
    }
    let mut parsed = serde_json::Deserializer::from_slice(data.get(8..).unwrap_or_default()).into_iter::<Header>();
    let header = parsed.next().and_then(std::result::Result::ok);
    let known = header.as_ref().map(|header| &header.__metadata__);
    let format = known.and_then(|known| known.get("format")).filter(|format| format.starts_with("manyworlds"));
    match format {
        Some(format) => {
            let version = known.and_then(|known| known.get("version")).map(String::as_str);
            complaint(path, &other_format(format, version, expected))
        }
        None => complaint(path, "it is damaged or no checkpoint of manyworlds"),
    }
}

fn other_format(found: &str, version: Option<&str>, format: &str) -> String {
    let by = version.map(|version| format!("manyworlds {version} in ")).unwrap_or_default();
    let older = version.is_some_and(|version| !is_newer(version, VERSION)) && found != format;
    let remedy = if older { "train it again" } else { "take a newer manyworlds" };
    format!("it was written by {by}format {found}; this is manyworlds {VERSION}, which reads {format}: {remedy}")
}

/// Whether a version comes after another one.
fn is_newer(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).chain([0; 3]).take(3).collect()
    };
    numbers(version) > numbers(than)
}

/// A checkpoint that cannot be used.
pub(super) fn complaint(path: &Path, reason: &str) -> Error {
    Error::Checkpoint { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Array, BYTES, DIGEST, Fault, Whole, is_newer, write};
    use safetensors::{Dtype, SafeTensors};

    fn bytes() -> Vec<u8> {
        let data: Vec<u8> = (0..40).collect();
        let metadata =
            [("format", "some-1".to_owned()), ("version", "0.0.1".to_owned()), ("text", "a \"word\"\n".to_owned())];
        let array = |name, range: std::ops::Range<usize>, shape: &[usize]| Array {
            name,
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            data: &data[range],
        };
        let mut file = Vec::new();
        write(&metadata, &[array("b", 0..24, &[2, 3]), array("a", 24..40, &[4])], &mut file).expect("memory takes it");
        file
    }

    #[test]
    fn files_are_safetensors_whose_digest_and_length_have_fixed_places() {
        let file = bytes();
        assert_eq!(file, bytes(), "equal contents are equal bytes");
        let tensors = SafeTensors::deserialize(&file).expect("the library reads it");
        assert_eq!(tensors.tensor("b").expect("there").shape(), [2, 3]);
        assert_eq!(tensors.tensor("a").expect("there").data(), (24..40).collect::<Vec<u8>>());
        assert_eq!(std::str::from_utf8(&file[BYTES]).expect("digits").parse(), Ok(file.len()));
        let mut zeroed = file.clone();
        zeroed[DIGEST].fill(b'0');
        assert_eq!(blake3::hash(&zeroed).to_hex().as_bytes(), &file[DIGEST]);
    }

    /// Every bit of the file, the eight bytes of the header's length included.
    #[test]
    fn every_flipped_bit_is_refused_and_every_cut_is_told_from_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let file = bytes();
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            let read = Whole::read(&path, "some-1", 1 << 20);
            // what was read before is judged as the file is
            let given = Whole::from_bytes(&path, "some-1", bytes);
            assert_eq!(format!("{:?}", given.err()), format!("{:?}", read.as_ref().err()));
            read
        };
        assert_eq!(read(&file).expect("whole").field("text").expect("there"), "a \"word\"\n");
        for bit in 0..8 * file.len() {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match read(&flipped) {
                Err(Fault::Refused(error)) => assert!(error.to_string().contains("file"), "bit {bit}: {error}"),
                Err(Fault::Torn(reason)) => panic!("bit {bit} was taken for a crash: {reason}"),
                Ok(_) => panic!("bit {bit} was taken"),
            }
        }
        for length in 0..file.len() {
            match read(&file[..length]) {
                Err(Fault::Torn(_)) => {}
                Err(Fault::Refused(error)) => panic!("cut to {length}: {error}"),
                Ok(_) => panic!("cut to {length} was taken"),
            }
        }
        assert!(matches!(read(&vec![0; file.len()]), Err(Fault::Torn(_))), "zeros are what a crash leaves");
        assert!(matches!(read(&[&file[..], &[0]].concat()), Err(Fault::Refused(_))), "a byte too many");
        assert!(matches!(Whole::read(&folder.path().join("none"), "some-1", 9), Err(Fault::Torn(_))), "missing");
    }

    #[test]
    fn newer_versions_are_told_from_older_ones() {
        for (version, newer) in [("0.1.0", false), ("0.1.1", true), ("1", true), ("0.0.9", false), ("0.1.0-rc1", false)]
        {
            assert_eq!(is_newer(version, "0.1.0"), newer, "{version}");
        }
    }
}
