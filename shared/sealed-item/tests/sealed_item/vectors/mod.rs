//! The named vectors in `vectors/`, described in its README.md. They are frozen: if one fails, the code is wrong.

mod malformed;
mod well_formed;

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn decode(base64: &str) -> Vec<u8> {
    Base64::decode_vec(base64).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
