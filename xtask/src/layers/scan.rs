//! What the sources say: modules, imports, paths, methods and calls.
//!
//! Items are parsed; the code inside is read token by token, as it may be a macro's.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ImplItem, Item, ItemUse, TraitItem, Type, UseTree, Visibility};

use super::Sources;
use super::calls::{Call, Method, Owner};
use super::modules::{Import, Meaning, Mention, Module, Path, Tree};
use crate::Result;

/// Adds the module of a file, and those below it. Returns its index.
pub fn add_file(
    tree: &mut Tree,
    sources: &Sources,
    file: &str,
    parent: Option<usize>,
) -> Result<usize> {
    let text = sources
        .get(file)
        .ok_or(format!("there is no file {file}"))?;
    let parsed = syn::parse_file(text).map_err(|error| {
        let line = error.span().start().line;
        format!("{file}:{line}: {error}")
    })?;
    let stem = file.trim_end_matches(".rs").trim_end_matches("mod");
    let folder = match stem {
        "lib" | "main" => String::new(),
        _ => format!("{}/", stem.trim_end_matches('/')),
    };
    let module = add_module(tree, file, parent);
    add_items(tree, sources, module, &folder, parsed.items)?;
    Ok(module)
}

fn add_module(tree: &mut Tree, file: &str, parent: Option<usize>) -> usize {
    tree.modules.push(Module {
        file: file.to_owned(),
        parent,
        ..Module::default()
    });
    tree.modules.len() - 1
}

fn add_items(
    tree: &mut Tree,
    sources: &Sources,
    module: usize,
    folder: &str,
    items: Vec<Item>,
) -> Result {
    for item in items {
        let tokens = item.to_token_stream();
        if is_test(&tokens) {
            continue;
        }
        let (meaning, name) = match item {
            Item::Mod(item) => {
                let name = item.ident.to_string();
                let child = match item.content {
                    Some((_, items)) => {
                        let child =
                            add_module(tree, &tree.modules[module].file.clone(), Some(module));
                        add_items(tree, sources, child, &format!("{folder}{name}/"), items)?;
                        child
                    }
                    None => {
                        let files = [
                            format!("{folder}{name}.rs"),
                            format!("{folder}{name}/mod.rs"),
                        ];
                        let file = files.iter().find(|file| sources.contains_key(*file));
                        add_file(tree, sources, file.unwrap_or(&files[0]), Some(module))?
                    }
                };
                (Meaning::Module(child), Some(name))
            }
            Item::Use(item) => {
                add_use(tree, module, item);
                continue;
            }
            item => {
                add_code(tree, module, item, tokens.clone());
                (Meaning::Item, name(tokens))
            }
        };
        if let Some(name) = name {
            tree.modules[module]
                .names
                .entry(name)
                .or_default()
                .push(meaning);
        }
    }
    Ok(())
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
fn name(item: TokenStream) -> Option<String> {
    const KINDS: [&str; 9] = [
        "const",
        "enum",
        "fn",
        "macro_rules",
        "static",
        "struct",
        "trait",
        "type",
        "union",
    ];
    let idents = item.into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    });
    let mut idents = idents.skip_while(|it| it != "impl" && !KINDS.contains(&it.as_str()));
    let kind = idents.next()?;
    let is_more = |it: &String| matches!(it.as_str(), "fn" | "unsafe" | "extern" | "mut");
    (kind != "impl").then(|| idents.find(|it| !is_more(it)))?
}

fn add_use(tree: &mut Tree, module: usize, item: ItemUse) {
    let is_public = !matches!(item.vis, Visibility::Inherited);
    let mut leaves = Vec::new();
    if item.leading_colon.is_none() {
        collect(&item.tree, &mut Vec::new(), &mut leaves);
    }
    for (path, name, line) in leaves {
        let known = &mut tree.modules[module];
        match name.clone() {
            Some(name) => {
                let meaning = Meaning::Import(path.clone());
                known.names.entry(name).or_default().push(meaning);
            }
            None => known.globs.push(path.clone()),
        }
        tree.imports.push(Import {
            module,
            path,
            name,
            is_public,
            line,
        });
    }
}

/// The path, the name and the line of each leaf; a glob has no name.
fn collect(tree: &UseTree, path: &mut Path, leaves: &mut Vec<(Path, Option<String>, usize)>) {
    let mut leaf = |path: &Path, last: &proc_macro2::Ident, name: &proc_macro2::Ident| {
        let mut path = path.clone();
        if last != "self" {
            path.push(last.to_string());
        }
        let name = if name == "self" {
            path.last().cloned()
        } else {
            Some(name.to_string())
        };
        leaves.push((path, name, last.span().start().line));
    };
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            collect(&step.tree, path, leaves);
            path.pop();
        }
        UseTree::Name(it) => leaf(path, &it.ident, &it.ident),
        UseTree::Rename(it) => leaf(path, &it.ident, &it.rename),
        UseTree::Glob(it) => leaves.push((path.clone(), None, it.star_token.spans[0].start().line)),
        UseTree::Group(group) => group.items.iter().for_each(|it| collect(it, path, leaves)),
    }
}

/// Adds what stands in an item, and its methods.
fn add_code(tree: &mut Tree, module: usize, item: Item, tokens: TokenStream) {
    let (owner, names, is_of_trait): (_, Vec<_>, _) = match item {
        Item::Impl(item) => {
            let names = item.items.into_iter().filter_map(|it| match it {
                ImplItem::Fn(it) => Some(it.sig.ident.to_string()),
                _ => None,
            });
            (
                type_name(&item.self_ty),
                names.collect(),
                item.trait_.is_some(),
            )
        }
        Item::Trait(item) => {
            let names = item.items.into_iter().filter_map(|it| match it {
                TraitItem::Fn(it) => Some(it.sig.ident.to_string()),
                _ => None,
            });
            (Some(item.ident.to_string()), names.collect(), false)
        }
        _ => (None, Vec::new(), false),
    };
    if let Some(owner) = &owner {
        tree.methods.extend(names.into_iter().map(|name| Method {
            file: tree.modules[module].file.clone(),
            owner: owner.clone(),
            name,
            is_of_trait,
        }));
    }
    Scan {
        tree,
        module,
        owner,
    }
    .code(tokens);
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(of) => of.path.segments.last().map(|it| it.ident.to_string()),
        Type::Reference(of) => type_name(&of.elem),
        _ => None,
    }
}

/// Reads the code of one item.
struct Scan<'a> {
    tree: &'a mut Tree,
    module: usize,
    /// What `Self` stands for.
    owner: Option<String>,
}

impl Scan<'_> {
    fn code(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            let rest = &trees[at + 1..];
            at += 1 + match tree {
                TokenTree::Group(group) => {
                    self.code(group.stream());
                    0
                }
                TokenTree::Punct(punct) => match punct.as_char() {
                    '\'' => 1, // a lifetime
                    '#' => attribute(rest),
                    '.' if punct.spacing() == Spacing::Joint && is_punct(rest.first(), '.') => 1,
                    '.' => self.member(&trees[..at], rest),
                    _ => 0,
                },
                TokenTree::Ident(ident) if ident == "pub" => match rest.first() {
                    Some(TokenTree::Group(group)) if is_scope(group) => 1,
                    _ => 0,
                },
                TokenTree::Ident(ident) if ident == "use" => self.inner_use(&trees[at..]),
                TokenTree::Ident(_) => self.path(&trees[at..]),
                TokenTree::Literal(_) => 0,
            };
        }
    }

    /// `.name`, behind `before`. Returns how many tokens the name is.
    fn member(&mut self, before: &[TokenTree], rest: &[TokenTree]) -> usize {
        let Some(TokenTree::Ident(name)) = rest.first() else {
            return 0;
        };
        let is_call = match rest.get(1) {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            next => is_punct(next, ':') && is_punct(rest.get(2), ':'),
        };
        if is_call {
            let is_self = matches!(before.last(), Some(TokenTree::Ident(it)) if it == "self");
            let owner = match &self.owner {
                Some(owner) if is_self => Owner::Likely(owner.clone()),
                _ => Owner::Unknown,
            };
            self.call(owner, name.to_string(), name.span().start().line);
        }
        1
    }

    /// A path, at its first name. Returns how many tokens follow that one.
    fn path(&mut self, trees: &[TokenTree]) -> usize {
        let mut path = Path::new();
        let (mut line, mut last) = (0, 0);
        for at in (0..).step_by(3) {
            let Some(TokenTree::Ident(name)) = trees.get(at) else {
                break;
            };
            path.push(name.to_string());
            (line, last) = (name.span().start().line, at);
            if !is_punct(trees.get(at + 1), ':') || !is_punct(trees.get(at + 2), ':') {
                break;
            }
        }
        self.tree.modules[self.module].said.insert(path[0].clone());
        if let [.., owner, name] = path.as_slice() {
            let owner = match &self.owner {
                Some(own) if owner == "Self" => own,
                _ => owner,
            };
            let (owner, name) = (Owner::Named(owner.clone()), name.clone());
            self.call(owner, name, line);
            let module = self.module;
            self.tree.mentions.push(Mention { module, path, line });
        }
        last
    }

    /// A `use` inside of code. Returns how many tokens follow its first.
    fn inner_use(&mut self, trees: &[TokenTree]) -> usize {
        let end = trees.iter().position(|tree| is_punct(Some(tree), ';'));
        let item = end.map(|end| trees[..=end].iter().cloned().collect::<TokenStream>());
        // Otherwise it is `impl Trait + use<'a>`.
        match item.map(syn::parse2::<ItemUse>) {
            Some(Ok(item)) => {
                add_use(self.tree, self.module, item);
                end.unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn call(&mut self, owner: Owner, name: String, line: usize) {
        self.tree.calls.push(Call {
            file: self.tree.modules[self.module].file.clone(),
            line,
            owner,
            name,
        });
    }
}

fn is_punct(tree: Option<&TokenTree>, c: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

/// How many tokens of an attribute follow its `#`.
fn attribute(rest: &[TokenTree]) -> usize {
    let inner = usize::from(is_punct(rest.first(), '!'));
    match rest.get(inner) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => inner + 1,
        _ => 0,
    }
}

/// What may follow `pub`: `(crate)`, `(super)`, `(in crate::ring)`.
fn is_scope(group: &proc_macro2::Group) -> bool {
    let first = group.stream().into_iter().next();
    let words = ["crate", "super", "self", "in"];
    group.delimiter() == Delimiter::Parenthesis
        && matches!(first, Some(TokenTree::Ident(it)) if words.iter().any(|word| it == *word))
}
