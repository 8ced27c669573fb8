//! What a function logs beside its traces: one JSON object a line, on standard output. Lambda takes it to CloudWatch
//! Logs.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// The log of one invocation. It writes whole lines, because several checks of one sweep may write at the same time.
pub struct Log<'a>(Mutex<Box<dyn Write + Send + 'a>>);

impl<'a> Log<'a> {
    /// A log that goes to `output`.
    pub fn new(output: impl Write + Send + 'a) -> Self {
        Self(Mutex::new(Box::new(output)))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn write(&self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}
