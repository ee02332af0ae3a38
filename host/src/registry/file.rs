//! Records in files, for the processes of one machine.

use super::error::RegistryError;
use super::record::{Change, ServiceId, ServiceRecord, UnixClock};
use super::store::{ServiceRegistry, join_beat_leave};
use crate::dispatch::Version;
use ringbus::Clock;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps each record in a JSON file of its own, `<service>@<host>.json` in one directory.
///
/// A file is replaced by a rename: whoever reads it, in whatever process, finds the old record or the new one, never a
/// part. Nothing is forced to disk: a record of before a power failure means nothing after it. Only the process of a
/// service should write its record.
pub struct FileRegistry {
    directory: PathBuf,
    clock: Box<dyn Clock>,
    /// One change at a time, each a read and a write.
    changing: Mutex<()>,
}

impl FileRegistry {
    /// The records of a directory, which is made if there is none. Times are those of [`UnixClock`].
    ///
    /// # Errors
    /// [`RegistryError::Io`] if it cannot be made.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        Self::open_with_clock(directory, UnixClock)
    }

    /// As [`open`](Self::open), with a clock on which all processes have to agree.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_clock(
        directory: impl Into<PathBuf>,
        clock: impl Clock,
    ) -> Result<Self, RegistryError> {
        let directory = directory.into();
        fs::create_dir_all(&directory).map_err(at(&directory))?;
        Ok(Self {
            directory,
            clock: Box::new(clock),
            changing: Mutex::default(),
        })
    }

    fn change(&self, id: &ServiceId, change: Change) -> Result<(), RegistryError> {
        let _one = self.lock();
        let mut record = read(&self.path(id)).map_err(|error| match error {
            RegistryError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                RegistryError::NotFound(id.clone())
            }
            error => error,
        })?;
        record.change(change, &*self.clock);
        self.replace(&record)
    }

    /// Puts the whole record in its place, or leaves the old one there.
    fn replace(&self, record: &ServiceRecord) -> Result<(), RegistryError> {
        let path = self.path(&record.id);
        let text = serde_json::to_vec(record).map_err(|source| RegistryError::Corrupt {
            path: path.clone(),
            source,
        })?;
        self.write(&path, &text).map_err(at(&path))
    }

    /// Writes a file of its own, of mode 0600, and gives it the name. If that fails, the file is removed.
    fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut fresh = tempfile::Builder::new()
            .suffix(".tmp")
            .tempfile_in(&self.directory)?;
        fresh.write_all(text)?;
        fresh.persist(path)?;
        Ok(())
    }

    fn path(&self, id: &ServiceId) -> PathBuf {
        let name = format!("{}@{}.json", file_name(&id.service), file_name(&id.host));
        self.directory.join(name)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServiceRegistry for FileRegistry {
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError> {
        let _one = self.lock();
        let path = self.path(id);
        let created = !path.try_exists().map_err(at(&path))?;
        self.replace(&ServiceRecord::new(id, version, &*self.clock))?;
        Ok(created)
    }

    join_beat_leave!();

    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError> {
        let _one = self.lock();
        let path = self.path(id);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// A file that is no record is logged and left out: it keeps nobody from seeing the others.
    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(at(&self.directory))? {
            let path = entry.map_err(at(&self.directory))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Ok(record) => records.push(record),
                // Removed since the directory was read.
                Err(RegistryError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!("skipping a service's record: {error}"),
            }
        }
        records.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(records)
    }
}

impl fmt::Debug for FileRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileRegistry")
            .field(&self.directory)
            .finish()
    }
}

fn read(path: &Path) -> Result<ServiceRecord, RegistryError> {
    let text = fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&text).map_err(|source| RegistryError::Corrupt {
        path: path.to_owned(),
        source,
    })
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RegistryError {
    let path = path.to_owned();
    |source| RegistryError::Io { path, source }
}

/// A name in which nothing means anything to the file system, different for different names.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02x}"); // a String takes everything
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(file_name("web-1.example_2"), "web-1.example_2");
        assert_eq!(file_name("../a@b%\0é"), "..%2fa%40b%25%00%c3%a9");
    }
}
