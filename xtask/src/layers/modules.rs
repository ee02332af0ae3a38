//! The modules of a crate, and the files that their paths lead to.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Use;

/// The names of a path: `crate`, `ring`, `Ring`.
pub type Path = Vec<String>;

/// The modules of a crate, its root first, and what is said in them.
#[derive(Default)]
pub struct Tree {
    pub modules: Vec<Module>,
    pub paths: Vec<Said>,
    /// File, type and name of each method that is no implementation of a trait.
    pub methods: Vec<(String, String, String)>,
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
    /// The words that its code begins a path with.
    pub words: HashSet<String>,
}

/// What a name means in a module.
pub enum Meaning {
    Module(usize),
    Item,
    Import(Path),
}

/// A path in code or in an import.
pub struct Said {
    pub module: usize,
    pub line: usize,
    pub path: Path,
    /// The name that a re-export gives. It only hands the name on, as each path through it counts
    /// for the file that it leads to, and is a use where its own module says the name.
    pub re_exported: Option<String>,
}

/// A call, `.name(` or `Owner::name`.
pub struct Call {
    pub file: String,
    pub line: usize,
    pub owner: Option<String>,
    pub name: String,
}

/// Where a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Module(usize),
    /// An item of the module.
    Item(usize),
}

/// What is being resolved, which ends circles of imports.
type Seen = HashSet<(usize, Path)>;

impl Tree {
    /// Returns every use of an item of another file by a path.
    pub fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for said in &self.paths {
            let module = &self.modules[said.module];
            let name = said.re_exported.as_ref();
            if name.is_some_and(|name| !module.words.contains(name)) {
                continue;
            }
            // A name that was imported is told as the import tells it.
            let is_import = |it: &Meaning| matches!(it, Meaning::Import(_));
            let meanings = said.path.first().and_then(|it| module.names.get(it));
            let name = match meanings.is_some_and(|it| it.iter().any(is_import)) {
                true => said.path.first(),
                false => said.path.last(),
            };
            for place in self.resolve(said.module, &said.path, &mut Seen::new()) {
                let (Place::Module(target) | Place::Item(target)) = place;
                let target = &self.modules[target].file;
                if *target != module.file {
                    uses.push(Use {
                        file: module.file.clone(),
                        line: said.line,
                        target: target.clone(),
                        name: name.cloned().unwrap_or_default(),
                    });
                }
            }
        }
        uses
    }

    /// Returns the calls in `folder` of methods that stand in no file there that `may_use` allows.
    pub fn calls(&self, folder: &str, may_use: impl Fn(&str, &str) -> bool) -> Vec<Use> {
        let is_in = |file: &str| {
            let rest = file.strip_prefix(folder);
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        let mut uses = Vec::new();
        for call in self.calls.iter().filter(|call| is_in(&call.file)) {
            let means = |(file, owner, name): &&(String, String, String)| {
                let is_owner = call.owner.as_ref().is_none_or(|it| it == owner);
                is_in(file) && is_owner && *name == call.name
            };
            let methods: Vec<_> = self.methods.iter().filter(means).collect();
            if let Some((target, ..)) = methods.first()
                && !methods.iter().any(|(file, ..)| may_use(&call.file, file))
            {
                uses.push(Use {
                    file: call.file.clone(),
                    line: call.line,
                    target: target.clone(),
                    name: call.name.clone(),
                });
            }
        }
        uses
    }

    /// Returns where `path` leads to from the module at `at`: nowhere, if to another crate.
    fn resolve(&self, at: usize, path: &[String], seen: &mut Seen) -> BTreeSet<Place> {
        let Some((first, rest)) = path.split_first() else {
            return BTreeSet::new();
        };
        if !seen.insert((at, path.to_vec())) {
            return BTreeSet::new();
        }
        let mut places = match first.as_str() {
            "crate" => [Place::Module(0)].into(),
            "self" => [Place::Module(at)].into(),
            name => self.look_up(at, name, seen),
        };
        for name in rest {
            let step = |place| match place {
                Place::Module(module) => match self.look_up(module, name, seen) {
                    // Another crate's, or made by a macro.
                    found if found.is_empty() => [Place::Item(module)].into(),
                    found => found,
                },
                item => [item].into(),
            };
            places = places.into_iter().flat_map(step).collect();
        }
        places
    }

    fn look_up(&self, at: usize, name: &str, seen: &mut Seen) -> BTreeSet<Place> {
        let module = &self.modules[at];
        if name == "super" {
            return module.parent.map(Place::Module).into_iter().collect();
        }
        let mut places = BTreeSet::new();
        for meaning in module.names.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Module(module) => places.extend([Place::Module(*module)]),
                Meaning::Item => places.extend([Place::Item(at)]),
                Meaning::Import(path) => places.extend(self.resolve(at, path, seen)),
            }
        }
        let has_name = module.names.contains_key(name);
        for glob in module.globs.iter().filter(|_| !has_name) {
            for place in self.resolve(at, glob, seen) {
                if let Place::Module(from) = place {
                    places.extend(self.look_up(from, name, seen));
                }
            }
        }
        places
    }
}
