//! Calls of methods between the files of a folder.

use super::Use;
use super::modules::Tree;

/// A function in an `impl` or in a trait.
pub struct Method {
    pub file: String,
    /// The type, or the trait.
    pub owner: String,
    pub name: String,
    /// It implements a trait that may be another crate's.
    pub is_of_trait: bool,
}

/// A call, `.name(` or `Owner::name`.
pub struct Call {
    pub file: String,
    pub line: usize,
    /// Whose the method is, as far as the call says it.
    pub owner: Owner,
    pub name: String,
}

/// What a call says of the type.
pub enum Owner {
    /// `Owner::name`.
    Named(String),
    /// `self.name`: probably this type's.
    Likely(String),
    Unknown,
}

impl Tree {
    /// Returns the calls of methods that stand in other files of `folder`, and in no file that the caller may use.
    pub fn calls_in(&self, folder: &str, stands_above: impl Fn(&str, &str) -> bool) -> Vec<Use> {
        let is_in = |file: &str| {
            let rest = file.strip_prefix(folder);
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        let mut uses = Vec::new();
        for call in self.calls.iter().filter(|call| is_in(&call.file)) {
            let of = |owner: Option<&str>| -> Vec<&Method> {
                let methods = self.methods.iter().filter(|it| is_in(&it.file));
                let methods = methods.filter(|it| it.name == call.name);
                methods
                    .filter(|it| owner.is_none_or(|owner| it.owner == owner))
                    .collect()
            };
            let mut methods = match &call.owner {
                Owner::Named(owner) | Owner::Likely(owner) => of(Some(owner)),
                Owner::Unknown => of(None),
            };
            if methods.is_empty() && matches!(call.owner, Owner::Likely(_)) {
                methods = of(None);
            }
            if methods.iter().all(|it| stands_above(&it.file, &call.file)) {
                let own = methods.iter().find(|it| !it.is_of_trait);
                uses.extend(own.map(|method| Use {
                    file: call.file.clone(),
                    line: call.line,
                    target: method.file.clone(),
                    name: call.name.clone(),
                }));
            }
        }
        uses
    }
}
