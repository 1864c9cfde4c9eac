//! The file system as the record uses it: few operations, each of which can fail.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// What a record is written to and read from: the file system, or one of a test that fails and crashes.
pub trait Disk {
    /// A file that is written.
    type File;
    /// A file that is read.
    type Reader: Read;

    /// Makes a folder in one that is there.
    ///
    /// # Errors
    /// Those of the file system, as of every operation here.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;

    /// Makes a file that is not there yet.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn create(&mut self, path: &Path, readers: Readers) -> io::Result<Self::File>;

    /// Writes to the end of a file.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn write(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;

    /// Returns when what was written to a file will survive a loss of power.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder). What was written before may be lost then, and trying again proves nothing.
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;

    /// The same for the names in a folder.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn sync_folder(&mut self, path: &Path) -> io::Result<()>;

    /// Gives a file or a folder another name, in the place of a file that has it.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a folder with all that is in it, piece by piece; false if there was none.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn remove(&mut self, path: &Path) -> io::Result<bool>;

    /// Whether there is such a file or folder.
    fn exists(&self, path: &Path) -> bool;

    /// Opens a file to be read.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn open(&self, path: &Path) -> io::Result<Self::Reader>;

    /// The names in a folder, in their order.
    ///
    /// # Errors
    /// See [`make_folder`](Self::make_folder).
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
}

/// Who may read a file that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the user's mask allows.
    Anyone,
    /// The user alone: it is a copy of a file of the user's, whose own permissions are not known here.
    Owner,
}

impl Readers {
    /// Lets nobody else read a file that is made with these options.
    pub fn restrict(self, options: &mut OpenOptions) {
        #[cfg(unix)]
        if self == Readers::Owner {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let _ = options;
    }
}

/// The file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealDisk;

impl Disk for RealDisk {
    type File = File;
    type Reader = BufReader<File>;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn create(&mut self, path: &Path, readers: Readers) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        readers.restrict(&mut options);
        let file = options.open(path)?;
        // Whoever writes a file holds it, so that others see that it goes on; not every file system has locks.
        let _ = file.try_lock();
        Ok(file)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        // Only Unix opens a folder like a file; elsewhere its names are the file system's own affair.
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<bool> {
        let removed = match std::fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => std::fs::remove_dir_all(path),
            Ok(_) => std::fs::remove_file(path),
            Err(why) => Err(why),
        };
        match removed {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn open(&self, path: &Path) -> io::Result<BufReader<File>> {
        // A pipe would wait for its writer, and a device has no end.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a file",
            ));
        }
        File::open(path).map(|file| BufReader::with_capacity(1 << 18, file))
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<String>>>()?;
        names.sort();
        Ok(names)
    }
}
