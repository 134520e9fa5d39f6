//! The order of modules: a file imports only from modules that `lib.rs` or `mod.rs` lists before
//! its own, and no two files import from each other. Tests are excepted.
//!
//! A path such as `crate::a::B` is followed through re-exports to the file that has `B`. What an
//! ancestor module has may be imported too, unless the ancestor imports from the same file: its
//! re-exports do not count as imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use fs_err as fs;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// A module's path within its crate; empty for the root.
type Module = Vec<String>;

/// A file of a crate.
#[derive(Default)]
struct Source {
    file: PathBuf,
    /// The modules of the file that are files too, in order.
    children: Vec<String>,
    /// What it defines.
    names: BTreeSet<String>,
    /// What it re-exports: the name, and the path that is written for it.
    exports: Vec<(String, Vec<String>)>,
    /// The modules whose names it re-exports all.
    globs: Vec<Vec<String>>,
    /// The paths that it mentions, with `crate` and `super` resolved.
    mentions: BTreeSet<Vec<String>>,
    /// What names stand for that a `use` of the file brings in.
    aliases: BTreeMap<String, Vec<String>>,
}

/// The files of a crate, by their modules.
#[derive(Default)]
struct Crate {
    sources: BTreeMap<Module, Source>,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().contains("test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut read = Self::default();
        read.file(root, root.parent().unwrap_or(root), &[]);
        read
    }

    fn file(&mut self, file: &Path, directory: &Path, module: &[String]) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut source = Source { file: file.to_owned(), ..Source::default() };
        let mut below = Vec::new();
        source.items(&parsed.items, module, 0, &mut below);
        for name in below {
            let path: Module = [module, std::slice::from_ref(&name)].concat();
            let flat = directory.join(format!("{name}.rs"));
            let file = if flat.is_file() { flat } else { directory.join(&name).join("mod.rs") };
            source.children.push(name.clone());
            self.file(&file, &directory.join(&name), &path);
        }
        self.sources.insert(module.to_vec(), source);
    }

    /// The file that has what a path names, as far as that can be told.
    fn resolve(&self, path: &[String], depth: usize) -> Module {
        let mut module = Module::new();
        let mut rest = path;
        while let [first, after @ ..] = rest
            && self.sources[&module].children.contains(first)
        {
            module.push(first.clone());
            rest = after;
        }
        let Some(name) = rest.first().filter(|_| depth < 10) else { return module };
        let source = &self.sources[&module];
        if source.names.contains(name) {
            return module;
        }
        if let Some((_, path)) = source.exports.iter().find(|(exported, _)| exported == name) {
            return self.resolve(path, depth + 1);
        }
        for glob in &source.globs {
            let globbed = self.resolve(&[glob.as_slice(), std::slice::from_ref(name)].concat(), depth + 1);
            if self.sources[&globbed].names.contains(name) {
                return globbed;
            }
        }
        module
    }

    /// The files that each file imports from.
    fn imports(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of = |(module, source): (_, &Source)| {
            let targets = source.mentions.iter().map(|path| self.resolve(path, 0));
            (module, targets.filter(|target| target != module).collect())
        };
        self.sources.iter().map(of).collect()
    }

    fn shown(&self, module: &Module) -> String {
        self.sources[module].file.display().to_string()
    }

    fn violations(&self) -> Vec<String> {
        let imports = self.imports();
        let mut found = Vec::new();
        for (module, targets) in &imports {
            for target in targets {
                let common = module.iter().zip(target).take_while(|(one, other)| one == other).count();
                let (Some(own), Some(other)) = (module.get(common), target.get(common)) else { continue };
                let listed = &self.sources[&module[..common]].children;
                let position = |name| listed.iter().position(|child| child == name);
                if position(other) > position(own) {
                    let list = self.shown(&module[..common].to_vec());
                    found.push(format!(
                        "{} imports from {}, but {list} lists `{other}` after `{own}`",
                        self.shown(module),
                        self.shown(target)
                    ));
                }
            }
        }
        for module in self.sources.keys() {
            if let Some(circle) = circle(&imports, module) {
                let files: Vec<String> = circle.iter().map(|module| self.shown(module)).collect();
                found.push(format!("a circle of imports: {}", files.join(" → ")));
            }
        }
        found
    }
}

/// The shortest way of imports from a module to itself, if it is the first module of that circle.
fn circle(imports: &BTreeMap<&Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut before: BTreeMap<Module, Module> = BTreeMap::new();
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(module) = queue.pop_front() {
        for target in &imports[&module] {
            if target == start {
                let mut circle = vec![start.clone(), module.clone()];
                while let Some(previous) = before.get(circle.last()?) {
                    circle.push(previous.clone());
                }
                circle.reverse();
                return (circle.iter().min() == Some(start)).then_some(circle);
            }
            if !before.contains_key(target) {
                before.insert(target.clone(), module.clone());
                queue.push_back(target.clone());
            }
        }
    }
    None
}

impl Source {
    fn items(&mut self, items: &[Item], module: &[String], inline: usize, below: &mut Vec<String>) {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            if inline == 0 {
                self.names.extend(name(item));
            }
            match item {
                Item::Mod(inner) => match &inner.content {
                    None => below.push(inner.ident.to_string()),
                    Some((_, items)) => self.items(items, module, inline + 1, below),
                },
                Item::Use(used) if !matches!(used.vis, Visibility::Inherited) && inline == 0 => {
                    self.export(&used.tree, &mut Vec::new(), module);
                }
                item => {
                    if let (Item::Use(used), 0) = (item, inline) {
                        self.alias(&used.tree, &mut Vec::new(), module);
                    }
                    self.scan(item.to_token_stream(), module, inline);
                }
            }
        }
    }

    /// A `pub use`.
    fn export(&mut self, tree: &UseTree, before: &mut Vec<String>, module: &[String]) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.export(&path.tree, before, module);
                before.pop();
            }
            UseTree::Name(used) => {
                let name = used.ident.to_string();
                let path = [before.as_slice(), std::slice::from_ref(&name)].concat();
                self.exports.extend(absolute(&path, module, 0).map(|path| (name, path)));
            }
            UseTree::Rename(used) => {
                let path = [before.as_slice(), &[used.ident.to_string()]].concat();
                self.exports.extend(absolute(&path, module, 0).map(|path| (used.rename.to_string(), path)));
            }
            UseTree::Glob(_) => self.globs.extend(absolute(before, module, 0)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.export(tree, before, module)),
        }
    }

    /// The names that a `use` of `crate::…` or `super::…` brings in.
    fn alias(&mut self, tree: &UseTree, before: &mut Vec<String>, module: &[String]) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.alias(&path.tree, before, module);
                before.pop();
            }
            UseTree::Name(used)
                if ["crate", "super"].contains(&before.first().map_or("", String::as_str)) =>
            {
                let path = [before.as_slice(), &[used.ident.to_string()]].concat();
                self.aliases.extend(absolute(&path, module, 0).map(|path| (used.ident.to_string(), path)));
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.alias(tree, before, module)),
            UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    /// All paths in tokens that begin with `crate`, `self` or `super`, or in a `use` with a module
    /// of the file.
    fn scan(&mut self, tokens: TokenStream, module: &[String], inline: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut index = 0;
        while index < tokens.len() {
            match &tokens[index] {
                TokenTree::Group(group) => self.scan(group.stream(), module, inline),
                TokenTree::Ident(first)
                    if ["crate", "super"].contains(&first.to_string().as_str())
                        && is_separator(&tokens[index + 1..]) =>
                {
                    index = self.path(&tokens, index, Vec::new(), module, inline);
                    continue;
                }
                TokenTree::Ident(first) if is_separator(&tokens[index + 1..]) => {
                    if let Some(path) = self.aliases.get(&first.to_string()).cloned() {
                        self.path(&tokens, index + 3, path, &[], 0);
                    }
                    // What follows is of the same path.
                    while is_separator(&tokens[index + 1..]) {
                        index += 3;
                    }
                }
                _ => {}
            }
            index += 1;
        }
    }

    /// Reads a path from its first identifier on; gives the place after it.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        mut index: usize,
        mut path: Vec<String>,
        module: &[String],
        inline: usize,
    ) -> usize {
        loop {
            match tokens.get(index) {
                Some(TokenTree::Ident(part)) => path.push(part.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for one in inner
                        .split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
                    {
                        if !one.is_empty() {
                            self.path(one, 0, path.clone(), module, inline);
                        }
                    }
                    return index + 1;
                }
                _ => break,
            }
            index += 1;
            if !is_separator(&tokens[index.min(tokens.len())..]) {
                break;
            }
            index += 2;
        }
        self.mentions.extend(absolute(&path, module, inline));
        index.max(1)
    }
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    let is_colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    is_colon(tokens.first()) && is_colon(tokens.get(1))
}

/// A path from the crate's root; `None` if it leads out of the crate. `inline` modules of the file
/// are left first.
fn absolute(path: &[String], module: &[String], mut inline: usize) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        match first.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" if inline > 0 => inline -= 1,
            "super" => drop(base.pop()?),
            _ => break,
        }
        rest = after;
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// The crates that are published, and what this workspace builds and tests with.
const CRATES: [&str; 13] = [
    "pillowtop-core",
    "pillowtop-conformance",
    "pillowtop-derive",
    "pillowtop",
    "pillowtop-runtime",
    "pillowtop-embedded",
    "pillowtop-fluff",
    "pillowtop-indicators",
    "pillowtop-cli",
    "xtask",
    "tests",
    "benches",
    "examples/commcare",
];

#[test]
fn modules_import_only_what_is_listed_before_them() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for name in CRATES {
        let roots = ["lib.rs", "main.rs"].map(|root| workspace.join(name).join("src").join(root));
        let root = roots.into_iter().find(|root| root.is_file()).unwrap();
        found.extend(Crate::read(&root).violations());
    }
    let prefix = format!("{}/", workspace.display());
    let found: Vec<String> = found.into_iter().map(|line| line.replace(&prefix, "")).collect();
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}
