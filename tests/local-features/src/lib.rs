//! Nothing: this crate turns on features of others (see its `Cargo.toml`).
