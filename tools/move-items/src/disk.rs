//! The disk, as far as the ledger needs it: files that grow at the end, and files that are replaced whole.

use core::time::Duration;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::OFlags;

use crate::file_id::FileId;
use crate::line_reader::hex;
use crate::stop::Stop;

/// How long a lock may outlive the run that took it. A process that was just started holds its parent's locks until it runs
/// its own program (flock(2): a lock belongs to the open file, which fork(2) shares).
const LINGERING: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A disk. No symbolic link is followed at the end of a path.
pub trait Disk {
    /// A file that grows at its end.
    type File: GrowingFile;

    /// Opens a file that exists, for this process only. `None` if nothing has the name.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if what has the name is no file; otherwise errors of the disk, and
    /// [`io::ErrorKind::WouldBlock`] while another process has the file open.
    fn find(&self, path: &Path) -> Result<Option<Self::File>, Stop>;

    /// Makes a file, for this process only.
    ///
    /// # Errors
    /// Errors of the disk, and [`io::ErrorKind::AlreadyExists`] if anything has the name.
    fn create(&self, path: &Path) -> Result<Self::File, Stop>;

    /// Reads a file. `None` if nothing has the name.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if what has the name is no file; otherwise errors of the disk.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Stop>;

    /// Replaces the whole content of a file. Returns once `content` is on the disk. A reader sees either all of it or
    /// all of the old content.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), Stop>;
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

    /// How many names the file has: one, unless there are hard links.
    ///
    /// # Errors
    /// Errors of the disk.
    fn names(&self) -> io::Result<u64>;

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
    path: PathBuf,
}

impl LocalDisk {
    /// Where the next content of a file is written before it gets the file's name. A run that is killed can leave a
    /// file there, so the name must tell that the file is the move's own: it has the digest of the content that is
    /// replaced.
    ///
    /// # Errors
    /// As [`Disk::read`].
    pub fn new_path(&self, path: &Path) -> Result<PathBuf, Stop> {
        let content = self.read(path)?.unwrap_or_default();
        let digest = hex(digest(&SHA256, &content).as_ref());
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.new", digest.get(..16).unwrap_or_default()));
        Ok(name.into())
    }
}

impl Disk for LocalDisk {
    type File = LocalFile;

    fn find(&self, path: &Path) -> Result<Option<LocalFile>, Stop> {
        let found = open(path, OpenOptions::new().read(true).write(true))?;
        found.map(|file| LocalFile::lock(file, path)).transpose()
    }

    fn create(&self, path: &Path) -> Result<LocalFile, Stop> {
        let file = create(path).map_err(Stop::disk(path.display().to_string()))?;
        let locked = LocalFile::lock(file, path)?;
        sync_folder_of(path).map_err(Stop::disk(path.display().to_string()))?;
        Ok(locked)
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Stop> {
        let Some(mut file) = open(path, OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.read_to_end(&mut content)
            .map_err(Stop::disk(path.display().to_string()))?;
        Ok(Some(content))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), Stop> {
        let new = self.new_path(path)?;
        let replaced = || {
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Err(_) | Ok(()) => {}
            }
            let mut file = create(&new)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            sync_folder_of(path)
        };
        replaced().map_err(Stop::disk(path.display().to_string()))
    }
}

impl LocalFile {
    fn lock(file: File, path: &Path) -> Result<Self, Stop> {
        let asked = Instant::now();
        let locked = loop {
            match file.try_lock() {
                Ok(()) => break Ok(()),
                Err(TryLockError::Error(error)) => break Err(error),
                Err(TryLockError::WouldBlock) if asked.elapsed() < LINGERING => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => {
                    let error = io::Error::new(io::ErrorKind::WouldBlock, "another process is writing it");
                    break Err(error);
                }
            }
        };
        locked.map_err(Stop::disk(path.display().to_string()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }
}

/// Opens a file that exists, but nothing else that has the name: a link may lead to anybody's file, and a pipe keeps
/// nothing.
fn open(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, Stop> {
    let on_disk = || Stop::disk(path.display().to_string());
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => must_be_file(path, &metadata.map_err(on_disk())?)?,
    }
    // Something else may have got the name since.
    let file = options.custom_flags(as_it_is()).open(path).map_err(on_disk())?;
    must_be_file(path, &file.metadata().map_err(on_disk())?)?;
    Ok(Some(file))
}

/// Flags of open: follows no link, waits for no pipe.
const fn as_it_is() -> i32 {
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed()
}

fn must_be_file(path: &Path, metadata: &Metadata) -> Result<(), Stop> {
    let what = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_symlink() => "a symbolic link, which is not followed",
        kind if kind.is_dir() => "a folder",
        _ => "not a file",
    };
    Err(Stop::OtherMove(format!(
        "{} is {what}: name another output",
        path.display()
    )))
}

/// Makes a file. Fails if anything has the name, a symbolic link that leads nowhere included.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
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

    fn names(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.nlink())
    }

    // A clone would share the lock, and keep it for as long as a thread reads.
    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(as_it_is())
            .open(&self.path)?;
        if FileId::of(&file.metadata()?) != FileId::of(&self.file.metadata()?) {
            return Err(io::Error::other("another file has taken its name"));
        }
        Ok(Box::new(file))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::tempdir;

    use super::*;

    const THEIRS: &str = "somebody else's";

    #[test]
    fn a_reader_reads_the_file_that_was_found_or_nothing() {
        let folder = tempdir().expect("a folder");
        let (path, aside) = (folder.path().join("x"), folder.path().join("aside"));
        let mut file = LocalDisk.create(&path).expect("made");
        file.append(b"ours").expect("written");
        let read = || file.reader().and_then(io::read_to_string);
        assert_eq!(read().expect("ours"), "ours");
        fs::rename(&path, &aside).expect("renamed");
        assert!(read().is_err(), "it is gone");
        symlink(&aside, &path).expect("linked");
        assert!(read().is_err(), "a link, though to the same file");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "ours").expect("written");
        assert!(read().is_err(), "another file of the same content");
    }

    #[test]
    fn a_file_is_made_only_where_nothing_is() {
        let folder = tempdir().expect("a folder");
        let (path, other) = (folder.path().join("x"), folder.path().join("other"));
        symlink(&other, &path).expect("linked");
        assert!(LocalDisk.create(&path).is_err());
        assert!(!other.exists());
        fs::write(&other, THEIRS).expect("written");
        assert!(LocalDisk.create(&path).is_err());
        assert!(LocalDisk.create(&other).is_err());
        assert_eq!(fs::read_to_string(&other).expect("there"), THEIRS);
    }

    #[test]
    fn what_a_killed_run_left_is_replaced_and_a_link_in_its_place_is_not_followed() {
        let folder = tempdir().expect("a folder");
        let (path, other) = (folder.path().join("x.journal"), folder.path().join("other"));
        fs::write(&other, THEIRS).expect("written");
        LocalDisk.replace(&path, b"first").expect("replaced");
        fs::write(LocalDisk.new_path(&path).expect("a name"), "to").expect("written");
        LocalDisk.replace(&path, b"second").expect("replaced");
        symlink(&other, LocalDisk.new_path(&path).expect("a name")).expect("linked");
        LocalDisk.replace(&path, b"third").expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("there"), "third");
        assert_eq!(fs::read_to_string(&other).expect("there"), THEIRS);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
        fs::remove_file(&path).expect("removed");
        symlink(&other, &path).expect("linked");
        assert!(matches!(LocalDisk.replace(&path, b"fourth"), Err(Stop::OtherMove(_))));
    }
}
