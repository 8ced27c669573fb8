//! Reads lines and makes batches of as many lines as one call may carry.

use std::io::{self, BufRead};

use aws_lc_rs::digest::{Context, SHA256};

use crate::item_line::ItemLine;

/// The most items in a call.
pub const MAX_ITEMS: usize = 100;
/// The most bytes of lines in a call. Base64 is longer than the bytes that it encodes, so these lines hold less than
/// the 4 MiB of plaintext that a call may carry. That leaves room for ids, contexts and the event that Lambda wraps
/// around it all.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One line of the input.
pub struct Line {
    /// The number of the line, counted from 1.
    pub number: u64,
    /// The line without its line feed.
    pub text: Vec<u8>,
    /// The line as an item, if it is one.
    pub item: Option<ItemLine>,
}

impl Line {
    /// Whether the line is empty or all white space.
    pub fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }
}

/// Lines that are sent together.
pub struct Batch {
    /// The lines, in the order of the input.
    pub lines: Vec<Line>,
    /// The digest of the input up to the end of the batch.
    pub digest: String,
}

/// Reads lines and keeps the digest of all that it has read. A last line without a line feed counts as if it had one.
pub struct LineReader<R> {
    input: R,
    lines: u64,
    digest: Context,
    /// A line that was read already and belongs in the next batch.
    ahead: Option<Vec<u8>>,
}

impl<R: BufRead> LineReader<R> {
    /// A reader at the beginning of `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            lines: 0,
            digest: Context::new(&SHA256),
            ahead: None,
        }
    }

    /// Skips `lines` lines and returns their digest. `None` if there are fewer.
    ///
    /// # Errors
    /// Errors of the input.
    pub fn skip(&mut self, lines: u64) -> io::Result<Option<String>> {
        while self.lines < lines {
            match self.read()? {
                Some(text) => self.take(&text),
                None => return Ok(None),
            }
        }
        Ok(Some(self.digest()))
    }

    /// The next lines that fit in one call. `None` if there are no more.
    ///
    /// # Errors
    /// Errors of the input.
    pub fn batch(&mut self) -> io::Result<Option<Batch>> {
        let (mut lines, mut bytes) = (Vec::new(), 0_usize);
        while lines.len() < MAX_ITEMS {
            let next = match self.ahead.take() {
                Some(text) => Some(text),
                None => self.read()?,
            };
            let Some(text) = next else { break };
            bytes = bytes.saturating_add(text.len());
            if bytes > MAX_BYTES && !lines.is_empty() {
                self.ahead = Some(text);
                break;
            }
            self.take(&text);
            lines.push(self.line(text));
        }
        let digest = self.digest();
        Ok((!lines.is_empty()).then_some(Batch { lines, digest }))
    }

    /// The next `count` lines, or as many as there are.
    ///
    /// # Errors
    /// Errors of the input.
    pub fn lines(&mut self, count: usize) -> io::Result<Vec<Line>> {
        let mut lines = Vec::with_capacity(count);
        while lines.len() < count {
            let Some(text) = self.read()? else { break };
            self.take(&text);
            lines.push(self.line(text));
        }
        Ok(lines)
    }

    fn line(&self, text: Vec<u8>) -> Line {
        Line {
            number: self.lines,
            item: ItemLine::parse(&text),
            text,
        }
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        if self.input.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        Ok(Some(text))
    }

    fn take(&mut self, text: &[u8]) {
        self.lines = self.lines.saturating_add(1);
        self.digest.update(text);
        self.digest.update(b"\n");
    }

    fn digest(&self) -> String {
        hex(self.digest.clone().finish().as_ref())
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(input: &[u8]) -> Vec<Vec<u64>> {
        let mut reader = LineReader::new(input);
        let mut batches = Vec::new();
        while let Some(batch) = reader.batch().expect("readable") {
            batches.push(batch.lines.iter().map(|line| line.number).collect());
        }
        batches
    }

    #[test]
    fn a_batch_holds_at_most_what_a_call_may_carry_and_no_line_is_lost() {
        let many = "x\n".repeat(250);
        let sizes: Vec<_> = batches(many.as_bytes()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let large = format!("{0}\n{0}\n{0}\nx\n", "x".repeat(MAX_BYTES / 2));
        assert_eq!(batches(large.as_bytes()), [vec![1, 2], vec![3, 4]]);
        let larger = format!("x\n{}\nx", "x".repeat(MAX_BYTES + 1));
        assert_eq!(batches(larger.as_bytes()), [vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn the_digest_of_what_is_skipped_is_that_of_what_was_read() {
        let input = b"a\n\nb\nlast";
        let mut reader = LineReader::new(input.as_slice());
        let read = reader.batch().expect("readable").expect("lines").digest;
        assert_eq!(LineReader::new(input.as_slice()).skip(4).expect("readable"), Some(read));
        assert_eq!(LineReader::new(input.as_slice()).skip(5).expect("readable"), None);
        let first = |input: &[u8]| LineReader::new(input).skip(2).expect("readable");
        assert_eq!(first(input), first(b"a\n\nc\n"));
        assert_ne!(first(input), first(b"a\nx\n"));
    }
}
