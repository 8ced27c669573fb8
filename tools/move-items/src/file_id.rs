//! Which file it is, whatever its names are.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// A file by its device and inode. Its hard links have the same id, and so has whatever leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file that `metadata` describes.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}
