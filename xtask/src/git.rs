//! Git, as a child process.

use std::path::Path;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::Result;

/// Returns the hash of the commit that `name` stands for: a hash, a branch, a tag, `HEAD~3`.
pub fn resolve(shell: &Shell, name: &str) -> Result<String> {
    // Fails if there is no git, or no repository, which is not the name's fault.
    cmd!(shell, "git rev-parse --git-dir").read()?;
    let wanted = format!("{name}^{{commit}}");
    cmd!(shell, "git rev-parse --verify --quiet --end-of-options {wanted}")
        .read()
        .with_context(|| {
            format!(
                "git knows no commit `{name}` in this repository; a hash, a branch or a tag would do (`git log --oneline` \
                 lists them), and in a shallow clone `git fetch --unshallow` brings the older ones"
            )
        })
}

/// Returns the hash of the commit that is in the working tree as it was committed.
pub fn clean_head(shell: &Shell) -> Result<String> {
    let changes = cmd!(shell, "git status --porcelain --untracked-files=normal").read()?;
    if !changes.is_empty() {
        bail!("the working tree has changes that are not committed, and `git status` lists them");
    }
    resolve(shell, "HEAD")
}

/// Returns what is in the working tree, without what git is told to ignore and without deleted
/// files.
pub fn working_files(shell: &Shell) -> Result<Vec<String>> {
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard").read()?;
    let files = listed.lines().filter(|path| Path::new(path).is_file());
    Ok(files.map(str::to_owned).collect())
}

/// Writes the files of the commit `hash` into `folder`, which must be absolute.
///
/// Goes by an index of its own beside `folder`, because git's own index belongs to the developer
/// who works in the repository, and because nothing is left registered then if this program is
/// killed, as a `git worktree` would be.
pub fn export(shell: &Shell, hash: &str, folder: &Path) -> Result {
    let index = folder.with_extension("index");
    let prefix = format!("--prefix={}/", folder.display());
    let _env = shell.push_env("GIT_INDEX_FILE", &index);
    cmd!(shell, "git read-tree {hash}").read()?;
    cmd!(shell, "git checkout-index --all --force --quiet {prefix}").read()?;
    shell.remove_path(&index)?;
    Ok(())
}
