//! The input: opened once. A file can be read more than once, a stream cannot.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::file_id::FileId;
use crate::stop::Stop;

/// An input that is open and has not been read.
pub struct Input {
    file: File,
    id: FileId,
    is_stream: bool,
}

/// A reader of the input.
pub type Reader = Box<dyn BufRead + Send>;

/// Reads a file from its start, at a place of its own.
struct FromStart {
    file: File,
    place: u64,
}

impl Input {
    /// Opens the file or stream with this name; `-` is standard input. Waits for whoever writes a named pipe.
    ///
    /// # Errors
    /// [`Stop::Settings`] if it is a folder; otherwise errors of the disk.
    pub fn open(path: &Path) -> Result<Self, Stop> {
        let is_stdin = path == Path::new("-");
        let file = if is_stdin {
            io::stdin().as_fd().try_clone_to_owned().map(File::from)
        } else {
            File::open(path)
        };
        let file = file.map_err(Stop::disk("the input"))?;
        let metadata = file.metadata().map_err(Stop::disk("the input"))?;
        if metadata.is_dir() {
            return Err(Stop::Settings("the input is a folder: name a file".to_owned()));
        }
        Ok(Self {
            file,
            id: FileId::of(&metadata),
            // Whoever gives standard input may have read its first lines already: it is read from where it is.
            is_stream: is_stdin || !metadata.is_file(),
        })
    }

    /// Which file it is.
    pub const fn id(&self) -> FileId {
        self.id
    }

    /// How many lines there are. `None` for a stream, because counting would use it up.
    ///
    /// # Errors
    /// Errors of the input.
    pub fn count_lines(&self) -> io::Result<Option<u64>> {
        if self.is_stream {
            return Ok(None);
        }
        let (mut reader, mut lines) = (self.another_reader()?, 0_u64);
        while reader.skip_until(b'\n')? > 0 {
            lines = lines.saturating_add(1);
        }
        Ok(Some(lines))
    }

    /// A reader of the input, and a second one if plaintexts are to be compared.
    ///
    /// # Errors
    /// [`Stop::Settings`] if a stream is to be read twice; otherwise errors of the input.
    pub fn readers(self, compare: bool) -> Result<(Reader, Option<Reader>), Stop> {
        if self.is_stream {
            if compare {
                return Err(Stop::Settings(
                    "to compare, the input is read twice, and a stream cannot be: name a file".to_owned(),
                ));
            }
            return Ok((buffered(self.file), None));
        }
        let reader = || self.another_reader().map_err(Stop::disk("the input"));
        Ok((reader()?, compare.then(reader).transpose()?))
    }

    fn another_reader(&self) -> io::Result<Reader> {
        Ok(buffered(FromStart {
            file: self.file.try_clone()?,
            place: 0,
        }))
    }
}

fn buffered(source: impl Read + Send + 'static) -> Reader {
    Box::new(BufReader::with_capacity(64 * 1024, source))
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place = self.place.saturating_add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text(mut reader: Reader) -> String {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("readable");
        text
    }

    #[test]
    fn a_file_is_counted_and_read_twice_and_stays_the_one_that_was_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items");
        std::fs::write(&path, "a\nb\nc").expect("written");
        let input = Input::open(&path).expect("there");
        std::fs::rename(&path, folder.path().join("old")).expect("renamed");
        std::fs::write(&path, "other").expect("written");
        assert_eq!(input.count_lines().expect("readable"), Some(3));
        let (first, second) = input.readers(true).expect("a file");
        assert_eq!(
            (text(first).as_str(), text(second.expect("asked for")).as_str()),
            ("a\nb\nc", "a\nb\nc")
        );
    }

    #[test]
    fn a_stream_is_not_counted_and_read_once() {
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().expect("a pipe");
        writer.write_all(b"a\nb\n").expect("written");
        drop(writer);
        let open = || Input::open(format!("/dev/fd/{}", reader.as_raw_fd()).as_ref()).expect("there");
        assert!(matches!(open().readers(true), Err(Stop::Settings(_))));
        let input = open();
        assert_eq!(input.count_lines().expect("not read"), None);
        assert_eq!(text(input.readers(false).expect("a stream").0), "a\nb\n");
    }
}
