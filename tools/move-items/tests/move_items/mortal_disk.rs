//! A disk whose process is killed, or whose machine loses power, at a chosen moment.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use move_items::disk::{Disk, GrowingFile, LocalDisk, LocalFile};
use move_items::stop::Stop;

/// This machine's disk, until its `steps` run out.
pub(crate) struct MortalDisk(Rc<RefCell<Life>>);

struct Life {
    /// How many steps it still makes. `None` once it is dead.
    steps: Option<usize>,
    /// How much of the last step is done, of 255.
    part: u8,
    /// Whether bytes that are not synced are lost as well.
    loses_power: bool,
    /// Each file, and how many of its bytes are synced.
    synced: Vec<(PathBuf, u64)>,
}

pub(crate) struct MortalFile {
    file: LocalFile,
    path: PathBuf,
    life: Rc<RefCell<Life>>,
}

impl MortalDisk {
    pub(crate) fn new(steps: usize, part: u8, loses_power: bool) -> Self {
        Self(Rc::new(RefCell::new(Life {
            steps: Some(steps),
            part,
            loses_power,
            synced: Vec::new(),
        })))
    }
}

impl Life {
    fn part_of(&self, length: u64) -> u64 {
        length * u64::from(self.part) / 255
    }

    /// Makes one more step. `false` if this is the step at which the disk dies.
    fn step(&mut self) -> io::Result<bool> {
        match self.steps {
            Some(0) => Ok(false),
            Some(steps) => {
                self.steps = Some(steps - 1);
                Ok(true)
            }
            None => Err(dead()),
        }
    }

    fn die(&mut self) -> io::Error {
        self.steps = None;
        if self.loses_power {
            for (path, synced) in &self.synced {
                let file = OpenOptions::new().write(true).open(path).unwrap();
                let lost = file.metadata().unwrap().len() - synced;
                file.set_len(synced + self.part_of(lost)).unwrap();
            }
        }
        dead()
    }

    fn note_synced(&mut self, path: &Path, length: u64) {
        match self.synced.iter_mut().find(|(known, _)| known == path) {
            Some((_, synced)) => *synced = length,
            None => self.synced.push((path.to_owned(), length)),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("killed")
}

impl Disk for MortalDisk {
    type File = MortalFile;

    fn find(&self, path: &Path) -> Result<Option<MortalFile>, Stop> {
        Ok(LocalDisk.find(path)?.map(|file| self.watch(file, path)))
    }

    fn create(&self, path: &Path) -> Result<MortalFile, Stop> {
        let mut life = self.0.borrow_mut();
        let lives = life.step().map_err(killed)?;
        // Killed before or after the step.
        let file = (lives || life.part >= 128)
            .then(|| LocalDisk.create(path))
            .transpose()?;
        let file = file.filter(|_| lives).ok_or_else(|| killed(life.die()))?;
        drop(life);
        Ok(self.watch(file, path))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Stop> {
        LocalDisk.read(path)
    }

    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), Stop> {
        let mut life = self.0.borrow_mut();
        if life.step().map_err(killed)? {
            return LocalDisk.replace(path, content);
        }
        // Killed before, during or after the step. Either the new file is torn, or the content is replaced and nobody
        // is told.
        if life.part < 128 {
            let part = usize::try_from(life.part_of(content.len() as u64)).unwrap();
            std::fs::write(LocalDisk.new_path(path)?, &content[..part]).unwrap();
        } else {
            LocalDisk.replace(path, content)?;
        }
        Err(killed(life.die()))
    }
}

impl MortalDisk {
    fn watch(&self, file: LocalFile, path: &Path) -> MortalFile {
        self.0.borrow_mut().note_synced(path, file.length().unwrap());
        MortalFile {
            file,
            path: path.to_owned(),
            life: Rc::clone(&self.0),
        }
    }
}

fn killed(error: io::Error) -> Stop {
    Stop::disk("the disk")(error)
}

impl GrowingFile for MortalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut life = self.life.borrow_mut();
        if life.step()? {
            return self.file.append(bytes);
        }
        let part = usize::try_from(life.part_of(bytes.len() as u64)).unwrap();
        self.file.append(&bytes[..part])?;
        Err(life.die())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut life = self.life.borrow_mut();
        if !life.step()? {
            return Err(life.die());
        }
        self.file.sync()?;
        life.note_synced(&self.path, self.file.length()?);
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut life = self.life.borrow_mut();
        if !life.step()? {
            return Err(life.die());
        }
        self.file.cut(length)?;
        life.note_synced(&self.path, length);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn names(&self) -> io::Result<u64> {
        self.file.names()
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        self.file.reader()
    }
}
