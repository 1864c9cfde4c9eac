//! A disk of a test: it counts, fails at a chosen operation, or crashes there, and says what is left afterwards.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, Readers, Syncs};

/// What a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survives {
    /// Everything: the process was killed and the system was not.
    All,
    /// What was synced, and nothing else.
    Synced,
    /// The same, and the latest name of each folder.
    Latest,
    /// All names, of the contents what was synced.
    Names,
    /// All names, and of the contents half of what was not synced.
    Torn,
}

impl Survives {
    pub const EACH: [Survives; 5] = [
        Survives::All,
        Survives::Synced,
        Survives::Latest,
        Survives::Names,
        Survives::Torn,
    ];
}

/// A file or a folder, as it is and as a loss of power leaves it.
#[derive(Debug, Clone)]
enum Node {
    File {
        contents: Vec<u8>,
        synced: usize,
    },
    Folder {
        names: BTreeMap<String, usize>,
        synced: BTreeMap<String, usize>,
        latest: Option<String>,
    },
}

#[derive(Debug, Clone, Default)]
struct State {
    nodes: Vec<Node>,
    operations: u64,
    fails_at: Option<u64>,
    crashes_at: Option<u64>,
    syncs: Syncs,
}

/// A disk that several hands share.
#[derive(Debug, Clone)]
pub struct FakeDisk(Arc<Mutex<State>>);

/// A file is its node.
#[derive(Debug)]
pub struct FakeFile(usize);

fn no_space() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on the fake disk")
}

fn gone() -> io::Error {
    io::Error::other("the system is gone")
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn split(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().expect("a name").to_string_lossy();
    let parent = path.parent().expect("a parent").to_owned();
    (parent, name.into_owned())
}

impl State {
    /// One more operation: whether it is done in full. In half it is done before the crash, of which nobody hears.
    fn operate(&mut self) -> io::Result<bool> {
        let number = self.operations;
        self.operations += 1;
        if self.fails_at == Some(number) {
            return Err(no_space());
        }
        match self.crashes_at {
            Some(at) if number > at => Err(gone()),
            Some(at) => Ok(number < at),
            None => Ok(true),
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        let mut at = 0;
        for part in path.iter().filter(|part| *part != "/") {
            let Node::Folder { names, .. } = &self.nodes[at] else {
                return None;
            };
            at = *names.get(&*part.to_string_lossy())?;
        }
        Some(at)
    }

    fn name(&mut self, path: &Path, node: usize) -> io::Result<()> {
        let (parent, name) = split(path);
        self.names_of(&parent)?.insert(name.clone(), node);
        let at = self.find(&parent).ok_or_else(absent)?;
        if let Node::Folder { latest, .. } = &mut self.nodes[at] {
            *latest = Some(name);
        }
        Ok(())
    }

    fn names_of(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, usize>> {
        let at = self.find(path).ok_or_else(absent)?;
        match &mut self.nodes[at] {
            Node::Folder { names, .. } => Ok(names),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let (parent, name) = split(path);
        let at = self.nodes.len();
        let names = self.names_of(&parent)?;
        if names.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.nodes.push(node);
        self.name(path, at)?;
        Ok(at)
    }
}

fn folder() -> Node {
    Node::Folder {
        names: BTreeMap::new(),
        synced: BTreeMap::new(),
        latest: None,
    }
}

impl FakeDisk {
    pub fn new() -> FakeDisk {
        FakeDisk(Arc::new(Mutex::new(State {
            nodes: vec![folder()],
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panicked with the disk")
    }

    /// Lets one operation fail, by its number from 0.
    pub fn fail_at(&mut self, operation: u64) {
        self.state().fails_at = Some(operation);
    }

    /// Lets an operation be done in half, and none after it at all.
    pub fn crash_at(&mut self, operation: u64) {
        self.state().crashes_at = Some(operation);
    }

    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    pub fn syncs(&self) -> Syncs {
        self.state().syncs
    }

    pub fn contents(&self, path: &str) -> Vec<u8> {
        let state = self.state();
        let at = state.find(Path::new(path)).expect("a file");
        match &state.nodes[at] {
            Node::File { contents, .. } => contents.clone(),
            Node::Folder { .. } => panic!("{path} is a folder"),
        }
    }

    /// A disk as it is after the crash.
    pub fn after(&self, survives: Survives) -> FakeDisk {
        let mut state = self.state().clone();
        (state.fails_at, state.crashes_at) = (None, None);
        for node in &mut state.nodes {
            match node {
                Node::File { contents, synced } => {
                    let unsynced = contents.len() - *synced;
                    contents.truncate(match survives {
                        Survives::All => contents.len(),
                        Survives::Synced | Survives::Latest | Survives::Names => *synced,
                        Survives::Torn => *synced + unsynced / 2,
                    });
                }
                Node::Folder {
                    names,
                    synced,
                    latest,
                } if matches!(survives, Survives::Synced | Survives::Latest) => {
                    let latest = latest.take().filter(|_| survives == Survives::Latest);
                    let latest = latest.and_then(|name| names.remove_entry(&name));
                    *names = synced.clone();
                    names.extend(latest);
                }
                Node::Folder { .. } => {}
            }
        }
        FakeDisk(Arc::new(Mutex::new(state)))
    }
}

impl Disk for FakeDisk {
    type File = FakeFile;
    type Reader = Cursor<Vec<u8>>;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        match state.operate()? {
            true => state.add(path, folder()).map(drop),
            false => Err(gone()),
        }
    }

    fn create(&mut self, path: &Path, _readers: Readers) -> io::Result<FakeFile> {
        let mut state = self.state();
        let whole = state.operate()?;
        let node = Node::File {
            contents: Vec::new(),
            synced: 0,
        };
        let file = state.add(path, node).map(FakeFile)?;
        if whole { Ok(file) } else { Err(gone()) }
    }

    fn write(&mut self, file: &mut FakeFile, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let done = match state.operate() {
            Ok(true) => Ok(bytes.len()),
            // A disk that is full takes a part, as one does whose system goes down.
            Ok(false) => Err((bytes.len() / 2, gone())),
            Err(why) if why.kind() == io::ErrorKind::StorageFull => Err((bytes.len() / 2, why)),
            Err(why) => Err((0, why)),
        };
        let part = *done.as_ref().unwrap_or_else(|(part, _)| part);
        if let Node::File { contents, .. } = &mut state.nodes[file.0] {
            contents.extend_from_slice(&bytes[..part]);
        }
        done.map(drop).map_err(|(_, why)| why)
    }

    fn sync(&mut self, file: &mut FakeFile) -> io::Result<()> {
        let mut state = self.state();
        if !state.operate()? {
            return Err(gone());
        }
        state.syncs.files += 1;
        if let Node::File { contents, synced } = &mut state.nodes[file.0] {
            *synced = contents.len();
        }
        Ok(())
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.operate()? {
            return Err(gone());
        }
        let at = state.find(path).ok_or_else(absent)?;
        state.syncs.folders += 1;
        if let Node::Folder { names, synced, .. } = &mut state.nodes[at] {
            *synced = names.clone();
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.operate()? {
            return Err(gone());
        }
        let node = state.find(from).ok_or_else(absent)?;
        state.name(to, node)?;
        let (from, old) = split(from);
        state.names_of(&from)?.remove(&old);
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<bool> {
        let mut state = self.state();
        let whole = state.operate()?;
        let found = state.find(path);
        if !whole {
            if let Some(Node::Folder { names, .. }) = found.map(|at| &mut state.nodes[at]) {
                names.pop_first();
            }
            return Err(gone());
        }
        if found.is_some() {
            let (parent, name) = split(path);
            state.names_of(&parent)?.remove(&name);
        }
        Ok(found.is_some())
    }

    fn exists(&self, path: &Path) -> bool {
        self.state().find(path).is_some()
    }

    fn open(&self, path: &Path) -> io::Result<Cursor<Vec<u8>>> {
        let state = self.state();
        let at = state.find(path).ok_or_else(absent)?;
        match &state.nodes[at] {
            Node::File { contents, .. } => Ok(Cursor::new(contents.clone())),
            Node::Folder { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let names = self.state().names_of(path)?.keys().cloned().collect();
        Ok(names)
    }
}
