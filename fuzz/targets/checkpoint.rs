//! The bytes of a checkpoint, and of the state beside one. A digest that stands where it belongs is made right first, since
//! hardly any change would be seen behind it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyworlds::Error;
use manyworlds::train::{Policy, STATE_FILE, State};
use std::path::PathBuf;
use std::sync::LazyLock;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("manyworlds-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// How the header of such a file begins, and where its digest (64 digits) and its length (20) lie.
const BEGINNING: &[u8] = b"{\"__metadata__\":{\"blake3\":\"";
const DIGEST: std::ops::Range<usize> = 8 + BEGINNING.len()..8 + BEGINNING.len() + 64;
const LENGTH: std::ops::Range<usize> = DIGEST.end + 11..DIGEST.end + 31;

fn sealed(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if bytes.len() > LENGTH.end && bytes[8..].starts_with(BEGINNING) {
        let length = format!("{:020}", bytes.len());
        bytes[LENGTH].copy_from_slice(length.as_bytes());
        bytes[DIGEST].fill(b'0');
        let digest = blake3::hash(&bytes).to_hex();
        bytes[DIGEST].copy_from_slice(digest.as_bytes());
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let (checkpoint, state) = (FOLDER.join("checkpoint.safetensors"), FOLDER.join(STATE_FILE));
    let bytes = sealed(data);
    std::fs::write(&checkpoint, &bytes).expect("written");
    std::fs::write(&state, &bytes).expect("written");
    match Policy::load(&checkpoint) {
        Ok(policy) => {
            assert!(policy.parameters().iter().all(|value| value.is_finite()));
            policy.save(&checkpoint).expect("saved");
            let again = Policy::load(&checkpoint).expect("its own file");
            assert_eq!(again.hash(), policy.hash());
        }
        Err(error) => refused(&error),
    }
    if let Err(error) = State::load(&FOLDER) {
        refused(&error);
    }
});

fn refused(error: &Error) {
    assert_eq!(error.exit_code(), 2, "{error:?}");
    assert!(!error.to_string().contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
}
