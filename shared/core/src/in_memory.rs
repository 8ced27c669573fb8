//! The ports in one process.
