//! The files that a run finds, and whether they are the move's own.

use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use crate::disk::{Disk, GrowingFile};
use crate::line_reader::hex;
use crate::stop::Stop;

/// Without a journal, a file is the move's own only if a run made it and was killed before it wrote the journal. It is
/// empty then, and has no other name.
pub(crate) fn must_be_empty<F: GrowingFile>(found: Option<&F>, path: &Path) -> Result<(), Stop> {
    let Some(file) = found else { return Ok(()) };
    let on_disk = || Stop::disk(path.display().to_string());
    if file.length().map_err(on_disk())? == 0 && file.names().map_err(on_disk())? == 1 {
        return Ok(());
    }
    Err(Stop::OtherMove(format!(
        "{} is there, but no journal of a move that wrote it: name another output",
        path.display()
    )))
}

pub(crate) fn not_as_written(path: &Path) -> Stop {
    Stop::OtherMove(format!(
        "{} is not as the move left it: put it back, or name another output",
        path.display()
    ))
}

/// The digest of the part of a file that counts, which must be what was written, and a reader of the rest.
pub(crate) fn counted<F: GrowingFile>(
    found: Option<&F>,
    path: &Path,
    bytes: u64,
    sha256: &str,
) -> Result<(Context, Box<dyn Read + Send>), Stop> {
    let mut digest = Context::new(&SHA256);
    let Some(file) = found else {
        return if bytes == 0 {
            Ok((digest, Box::new(io::empty())))
        } else {
            Err(not_as_written(path))
        };
    };
    let on_disk = || Stop::disk(path.display().to_string());
    let mut reader = file.reader().map_err(on_disk())?;
    let mut left = bytes;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = reader.by_ref().take(left).read(&mut chunk).map_err(on_disk())?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        digest.update(bytes);
        left = left.saturating_sub(bytes.len() as u64);
    }
    if left > 0 || hex(digest.clone().finish().as_ref()) != sha256 {
        return Err(not_as_written(path));
    }
    Ok((digest, reader))
}

/// The rest of a file, or enough of it to see that it is more than one batch, which is all that a killed run leaves.
pub(crate) fn rest_of(reader: impl Read, path: &Path) -> Result<Vec<u8>, Stop> {
    const MORE_THAN_A_BATCH: u64 = 16 * 1024 * 1024;
    let mut rest = Vec::new();
    reader
        .take(MORE_THAN_A_BATCH)
        .read_to_end(&mut rest)
        .map_err(Stop::disk(path.display().to_string()))?;
    Ok(rest)
}

/// The file, with what counts of it alone.
pub(crate) fn own<D: Disk>(disk: &D, found: Option<D::File>, path: &Path, length: u64) -> Result<D::File, Stop> {
    let Some(mut file) = found else {
        return disk.create(path);
    };
    let on_disk = || Stop::disk(path.display().to_string());
    if file.length().map_err(on_disk())? > length {
        file.cut(length).map_err(on_disk())?;
    }
    Ok(file)
}
