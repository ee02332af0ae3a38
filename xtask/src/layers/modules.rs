//! The modules of a crate, and the files that their paths lead to.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::calls::{Call, Method};
use super::{Sources, Use};
use crate::Result;

/// The names of a path: `crate`, `ring`, `Ring`.
pub type Path = Vec<String>;

/// The modules of a crate, and what is said in them.
#[derive(Default)]
pub struct Tree {
    pub modules: Vec<Module>,
    pub imports: Vec<Import>,
    pub mentions: Vec<Mention>,
    pub methods: Vec<Method>,
    pub calls: Vec<Call>,
}

/// A module, of a file or in one.
#[derive(Default)]
pub struct Module {
    pub file: String,
    pub parent: Option<usize>,
    /// A name may mean several things: by kinds of items, and by `cfg`.
    pub names: HashMap<String, Vec<Meaning>>,
    pub globs: Vec<Path>,
    /// The names that its code begins a path with.
    pub said: HashSet<String>,
}

/// What a name means in a module.
pub enum Meaning {
    Module(usize),
    Item,
    Import(Path),
}

/// A leaf of a `use`.
pub struct Import {
    pub module: usize,
    pub path: Path,
    /// The name that it gives, unless it is a glob.
    pub name: Option<String>,
    pub is_public: bool,
    pub line: usize,
}

/// A path in code.
pub struct Mention {
    pub module: usize,
    pub path: Path,
    pub line: usize,
}

/// Where a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Module(usize),
    ItemOf(String),
}

impl Tree {
    /// Reads the crate whose root is `lib.rs` or `main.rs` in `folder`.
    pub fn of(folder: &str, sources: &Sources) -> Result<Tree> {
        let mut tree = Tree::default();
        let roots = ["lib.rs", "main.rs"].into_iter();
        let mut root = roots.filter(|root| sources.contains_key(*root));
        let root = root.next().ok_or(format!("{folder} has no root"))?;
        super::scan::add_file(&mut tree, sources, root, None)?;
        Ok(tree)
    }

    /// Returns every use of an item of another file by a path.
    pub fn uses(&self) -> Vec<Use> {
        let imports = self.imports.iter().filter(|it| self.is_use(it));
        let imports = imports.map(|it| (it.module, &it.path, it.line));
        let mentions = self.mentions.iter();
        let mentions = mentions.map(|it| (it.module, &it.path, it.line));
        let mut uses = Vec::new();
        for (module, path, line) in imports.chain(mentions) {
            let file = &self.modules[module].file;
            let told = self.imported(module, path);
            for target in self.files_of(module, path) {
                if told.contains(&target) {
                    continue;
                }
                uses.push(Use {
                    file: file.clone(),
                    line,
                    target,
                    name: path.last().cloned().unwrap_or_default(),
                });
            }
        }
        uses.retain(|it| it.file != it.target);
        uses
    }

    /// A re-export only hands a name on: each path through it counts for the file that it leads to. It is a use where its
    /// own module says the name.
    fn is_use(&self, import: &Import) -> bool {
        let said = &self.modules[import.module].said;
        !import.is_public || import.name.as_ref().is_some_and(|name| said.contains(name))
    }

    /// Returns the files that `path` leads to by an import, which is a use by itself.
    fn imported(&self, module: usize, path: &[String]) -> BTreeSet<String> {
        let meanings = path
            .first()
            .and_then(|first| self.modules[module].names.get(first));
        let is_import = |it: &Meaning| matches!(it, Meaning::Import(imported) if imported != path);
        match meanings.is_some_and(|meanings| meanings.iter().any(is_import)) {
            true => self.files_of(module, &path[..1]),
            false => BTreeSet::new(),
        }
    }

    fn files_of(&self, module: usize, path: &[String]) -> BTreeSet<String> {
        let places = self.resolve(module, path, &mut HashSet::new()).into_iter();
        let file = |place| match place {
            Place::Module(module) => self.modules[module].file.clone(),
            Place::ItemOf(file) => file,
        };
        places.map(file).collect()
    }

    /// Returns where `path` leads to from `module`: nowhere, if to another crate. `seen` ends circles of imports.
    fn resolve(
        &self,
        module: usize,
        path: &[String],
        seen: &mut HashSet<(usize, Path)>,
    ) -> BTreeSet<Place> {
        if !seen.insert((module, path.to_vec())) {
            return BTreeSet::new();
        }
        let Some((first, rest)) = path.split_first() else {
            return BTreeSet::new();
        };
        let mut places = match first.as_str() {
            "crate" => [Place::Module(0)].into(),
            "self" => [Place::Module(module)].into(),
            "super" => self.parent(module),
            name => self.look_up(module, name, seen),
        };
        for name in rest {
            let step = |place| match place {
                Place::Module(module) if name == "super" => self.parent(module),
                Place::Module(module) => match self.look_up(module, name, seen) {
                    // Another crate's, or made by a macro.
                    found if found.is_empty() => [self.item_of(module)].into(),
                    found => found,
                },
                item => [item].into(),
            };
            places = places.into_iter().flat_map(step).collect();
        }
        places
    }

    fn parent(&self, module: usize) -> BTreeSet<Place> {
        let parent = self.modules[module].parent;
        parent.map(Place::Module).into_iter().collect()
    }

    fn item_of(&self, module: usize) -> Place {
        Place::ItemOf(self.modules[module].file.clone())
    }

    fn look_up(&self, at: usize, name: &str, seen: &mut HashSet<(usize, Path)>) -> BTreeSet<Place> {
        let module = &self.modules[at];
        let mut places = BTreeSet::new();
        for meaning in module.names.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Module(module) => places.extend([Place::Module(*module)]),
                Meaning::Item => places.extend([self.item_of(at)]),
                Meaning::Import(path) => places.extend(self.resolve(at, path, seen)),
            }
        }
        if module.names.contains_key(name) {
            return places;
        }
        for glob in &module.globs {
            for place in self.resolve(at, glob, seen) {
                if let Place::Module(from) = place {
                    places.extend(self.look_up(from, name, seen));
                }
            }
        }
        places
    }
}
