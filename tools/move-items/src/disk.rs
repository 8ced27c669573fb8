//! The disk, as far as the ledger needs it: files that grow at the end, and files that are replaced whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A disk.
pub trait Disk {
    /// A file that grows at its end.
    type File: GrowingFile;

    /// Opens a file for this process only. Creates it if it does not exist.
    ///
    /// # Errors
    /// Errors of the disk, and [`io::ErrorKind::WouldBlock`] while another process has the file open.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// Reads a file. `None` if it does not exist.
    ///
    /// # Errors
    /// Errors of the disk.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the whole content of a file. Returns once `content` is on the disk. A reader sees either all of it or
    /// all of the old content.
    ///
    /// # Errors
    /// Errors of the disk.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()>;
}

/// A file that grows at its end.
pub trait GrowingFile {
    /// Adds to the end.
    ///
    /// # Errors
    /// Errors of the disk. Any part of `bytes` may have been added.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once the whole file is on the disk.
    ///
    /// # Errors
    /// Errors of the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to `length` bytes.
    ///
    /// # Errors
    /// Errors of the disk.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    /// Errors of the disk.
    fn length(&self) -> io::Result<u64>;

    /// Another reader of the same file, from its beginning.
    ///
    /// # Errors
    /// Errors of the disk.
    fn reader(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// The disk of this machine.
pub struct LocalDisk;

/// A file of this machine, locked.
pub struct LocalFile {
    file: File,
    path: std::path::PathBuf,
}

impl Disk for LocalDisk {
    type File = LocalFile;

    fn open(&self, path: &Path) -> io::Result<LocalFile> {
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::Error::new(io::ErrorKind::WouldBlock, "another process is writing it"),
        })?;
        if is_new {
            sync_folder_of(path)?;
        }
        Ok(LocalFile {
            file,
            path: path.to_owned(),
        })
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let mut file = File::create(&name)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&name, path)?;
        sync_folder_of(path)
    }
}

/// The name of a file is on the disk only once its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl GrowingFile for LocalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_all()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}
