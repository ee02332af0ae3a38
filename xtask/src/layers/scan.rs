//! What the sources say: modules, imports, paths, methods and calls.
//!
//! Items are parsed; the code inside is read token by token, as it may be a macro's.

use anyhow::{Context, anyhow};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, ItemUse, Type, UseTree, Visibility};

use super::Sources;
use super::modules::{Call, Meaning, Module, Path, Said, Tree};
use crate::Result;

/// Reads the crate whose root is `lib.rs` or `main.rs` in `folder`.
pub fn read(folder: &str, sources: &Sources) -> Result<Tree> {
    let mut roots = ["lib.rs", "main.rs"].into_iter();
    let root = roots.find(|root| sources.contains_key(*root));
    let root = root.with_context(|| format!("{folder} has no root"))?;
    let tree = Tree::default();
    let mut reader = Reader { tree, sources };
    reader.file(root, "", None)?;
    Ok(reader.tree)
}

struct Reader<'a> {
    tree: Tree,
    sources: &'a Sources,
}

impl Reader<'_> {
    /// Adds the module of a file, whose own modules are in `folder`. Returns its index.
    fn file(&mut self, file: &str, folder: &str, parent: Option<usize>) -> Result<usize> {
        let text = self.sources.get(file);
        let text = text.with_context(|| format!("there is no file {file}"))?;
        let parsed = syn::parse_file(text).map_err(|error| {
            let line = error.span().start().line;
            anyhow!("{file}:{line}: {error}")
        })?;
        self.module(file, folder, parent, parsed.items)
    }

    fn module(
        &mut self,
        file: &str,
        folder: &str,
        parent: Option<usize>,
        items: Vec<Item>,
    ) -> Result<usize> {
        let module = self.tree.modules.len();
        self.tree.modules.push(Module {
            file: file.to_owned(),
            parent,
            ..Module::default()
        });
        for item in items {
            let tokens = item.to_token_stream();
            if is_test(&tokens) {
                continue;
            }
            match item {
                Item::Use(item) => self.import(module, &item),
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let below = format!("{folder}{name}/");
                    let child = match item.content {
                        Some((_, items)) => self.module(file, &below, Some(module), items)?,
                        None => self.file(&format!("{folder}{name}.rs"), &below, Some(module))?,
                    };
                    self.name(module, name, Meaning::Module(child));
                }
                item => {
                    let (owner, has_methods) = match item {
                        Item::Impl(it) => (type_name(&it.self_ty), it.trait_.is_none()),
                        Item::Trait(it) => (Some(it.ident.to_string()), true),
                        _ => (None, false),
                    };
                    if let Some(name) = name_of(tokens.clone()) {
                        self.name(module, name, Meaning::Item);
                    }
                    let reader = &mut *self;
                    Code {
                        reader,
                        module,
                        owner,
                        has_methods,
                    }
                    .read(tokens);
                }
            }
        }
        Ok(module)
    }

    fn name(&mut self, module: usize, name: String, meaning: Meaning) {
        let names = &mut self.tree.modules[module].names;
        names.entry(name).or_default().push(meaning);
    }

    fn import(&mut self, module: usize, item: &ItemUse) {
        let mut leaves = Vec::new();
        if item.leading_colon.is_none() {
            collect(&item.tree, &mut Path::new(), &mut leaves);
        }
        for (path, name, line) in leaves {
            match name.as_str() {
                "*" => self.tree.modules[module].globs.push(path.clone()),
                _ => self.name(module, name.clone(), Meaning::Import(path.clone())),
            }
            let is_private = matches!(item.vis, Visibility::Inherited);
            let re_exported = (!is_private).then_some(name);
            self.tree.paths.push(Said {
                module,
                line,
                path,
                re_exported,
            });
        }
    }
}

/// `#[cfg(test)]` or `#[cfg(all(test, ...))]`.
fn is_test(item: &TokenStream) -> bool {
    let attributes = item.clone().into_iter().skip(1).step_by(2);
    let mut attributes = attributes.map_while(|tree| match tree {
        TokenTree::Group(group) => Some(group.stream().to_string().replace(' ', "")),
        _ => None,
    });
    attributes.any(|text| text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// Returns the name of an item, if it has one.
fn name_of(item: TokenStream) -> Option<String> {
    let kinds = "const enum fn macro_rules static struct trait type union";
    let idents = item.into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    });
    let mut idents =
        idents.skip_while(|it| it != "impl" && kinds.split(' ').all(|kind| it != kind));
    let kind = idents.next()?;
    let is_more = |it: &String| matches!(it.as_str(), "fn" | "unsafe" | "extern" | "mut");
    (kind != "impl").then(|| idents.find(|it| !is_more(it)))?
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(of) => of.path.segments.last().map(|it| it.ident.to_string()),
        Type::Reference(of) => type_name(&of.elem),
        _ => None,
    }
}

/// The path, the name and the line of each leaf; the name of a glob is `*`.
fn collect(tree: &UseTree, path: &mut Path, leaves: &mut Vec<(Path, String, usize)>) {
    let mut leaf = |last: &Ident, name: &Ident| {
        let mut path = path.clone();
        path.extend((last != "self").then(|| last.to_string()));
        let name = if name == "self" {
            path.last().cloned()
        } else {
            Some(name.to_string())
        };
        leaves.push((path, name.unwrap_or_default(), line(last)));
    };
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            collect(&step.tree, path, leaves);
            path.pop();
        }
        UseTree::Name(it) => leaf(&it.ident, &it.ident),
        UseTree::Rename(it) => leaf(&it.ident, &it.rename),
        UseTree::Glob(it) => {
            let line = it.star_token.spans[0].start().line;
            leaves.push((path.clone(), "*".to_owned(), line));
        }
        UseTree::Group(group) => group.items.iter().for_each(|it| collect(it, path, leaves)),
    }
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

/// The code of one item.
struct Code<'a, 'b> {
    reader: &'a mut Reader<'b>,
    module: usize,
    /// What `Self` stands for.
    owner: Option<String>,
    has_methods: bool,
}

impl Code<'_, '_> {
    fn read(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            let rest = &trees[at + 1..];
            at += 1 + match tree {
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    0
                }
                // Not the second of `..`.
                TokenTree::Punct(it)
                    if it.as_char() == '.' && !is_punct(trees[..at].last(), '.') =>
                {
                    self.member(rest)
                }
                TokenTree::Ident(ident) if ident == "use" => self.inner_use(&trees[at..]),
                TokenTree::Ident(ident) => {
                    if let (true, Some(TokenTree::Ident(name))) = (ident == "fn", rest.first()) {
                        self.method(name);
                    }
                    self.path(&trees[at..])
                }
                _ => 0,
            };
        }
    }

    fn method(&mut self, name: &Ident) {
        if let (true, Some(owner)) = (self.has_methods, &self.owner) {
            let method = (self.file(), owner.clone(), name.to_string());
            self.reader.tree.methods.push(method);
        }
    }

    /// What follows a dot. Returns how many tokens it is.
    fn member(&mut self, rest: &[TokenTree]) -> usize {
        let Some(TokenTree::Ident(name)) = rest.first() else {
            return 0;
        };
        match rest.get(1) {
            Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Parenthesis => {
                self.call(None, name);
            }
            next if is_punct(next, ':') && is_punct(rest.get(2), ':') => self.call(None, name),
            _ => {}
        }
        1
    }

    /// A path, at its first name. Returns how many tokens follow that one.
    fn path(&mut self, trees: &[TokenTree]) -> usize {
        let mut names = Vec::new();
        for at in (0..).step_by(3) {
            match trees.get(at) {
                Some(TokenTree::Ident(name)) => names.push(name),
                _ => break,
            }
            if !is_punct(trees.get(at + 1), ':') || !is_punct(trees.get(at + 2), ':') {
                break;
            }
        }
        let (module, path) = (self.module, names.iter().map(|it| it.to_string()));
        let path: Path = path.collect();
        let words = &mut self.reader.tree.modules[module].words;
        words.extend(path.first().cloned());
        if let [.., owner, name] = names.as_slice() {
            let owner = match &self.owner {
                Some(own) if *owner == "Self" => own.clone(),
                _ => owner.to_string(),
            };
            self.call(Some(owner), name);
            let line = line(name);
            let re_exported = None;
            self.reader.tree.paths.push(Said {
                module,
                line,
                path,
                re_exported,
            });
        }
        3 * (names.len() - 1)
    }

    /// A `use` inside of code. Returns how many tokens follow its first.
    fn inner_use(&mut self, trees: &[TokenTree]) -> usize {
        let end = trees.iter().position(|tree| is_punct(Some(tree), ';'));
        let end = end.unwrap_or(0);
        // Otherwise it is `impl Trait + use<'a>`.
        if let Ok(item) = syn::parse2(trees[..=end].iter().cloned().collect()) {
            self.reader.import(self.module, &item);
            return end;
        }
        0
    }

    fn call(&mut self, owner: Option<String>, name: &Ident) {
        self.reader.tree.calls.push(Call {
            file: self.file(),
            line: line(name),
            owner,
            name: name.to_string(),
        });
    }

    fn file(&self) -> String {
        self.reader.tree.modules[self.module].file.clone()
    }
}

fn is_punct(tree: Option<&TokenTree>, c: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}
