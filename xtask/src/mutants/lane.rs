//! A copy of the project in which one mutant after the other is tried.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use wait_timeout::ChildExt;
use xshell::{Cmd, Shell};

use super::mutant::{Guard, Mutant, Target};
use super::table::Verdict;
use crate::{Result, cargo, git};

/// A test program that runs for longer hangs, which is a way to notice.
const DEADLINE: Duration = Duration::from_secs(600);

/// How many preemptions a model explores, as in `cargo xtask loom`.
const PREEMPTIONS: u8 = 2;

/// What runs against a mutant that its own guard lets pass, besides every model.
const STRESS: &[&str] = &["stress", "hooks", "properties"];

pub struct Lane {
    /// At the root of the copy.
    shell: Shell,
    /// Nothing but the guard runs.
    quick: bool,
}

impl Lane {
    /// Makes a copy of what is in the working tree. The build of an earlier run is kept, and
    /// nothing else of it, because cargo would find and run a test that is gone.
    pub fn new(id: usize, quick: bool) -> Result<Lane> {
        let shell = Shell::new()?;
        shell.change_dir(format!("target/mutants/{id}"));
        let lane = Lane { shell, quick };
        let files = git::working_files(&Shell::new()?)?;
        lane.remove_all_but(&files)?;
        for path in files {
            let contents = fs::read(&path).with_context(|| path.clone())?;
            lane.write(&path, &contents)?;
        }
        Ok(lane)
    }

    /// Removes what an earlier copy had besides `files`.
    fn remove_all_but(&self, files: &[String]) -> Result {
        let root = self.shell.current_dir();
        let copies = walkdir::WalkDir::new(&root)
            .into_iter()
            .filter_entry(|entry| entry.path() != root.join("target"))
            // There is none yet.
            .filter_map(|entry| entry.ok())
            .filter(|entry| !entry.file_type().is_dir());
        for copy in copies {
            let is_kept = |file: &String| root.join(file) == copy.path();
            if !files.iter().any(is_kept) {
                self.shell.remove_path(copy.path())?;
            }
        }
        Ok(())
    }

    /// Writes a file of the copy, unless it is the same: cargo goes by times.
    fn write(&self, path: &str, contents: &[u8]) -> Result {
        let found = self.shell.read_binary_file(path);
        if found.is_ok_and(|found| found == contents) {
            return Ok(());
        }
        Ok(self.shell.write_file(path, contents)?)
    }

    /// Puts the mutant in, sees who notices, and takes it out again.
    pub fn try_out(&self, mutant: &Mutant) -> Result<Verdict> {
        let mut originals = Vec::new();
        for (path, contents) in &mutant.files {
            // The copy's own, because the working tree may have changed since.
            originals.push((path, self.shell.read_file(path)?));
            self.write(path, contents.as_bytes())?;
        }
        let verdict = self.noticed(&mutant.guard);
        let verdict = verdict.with_context(|| format!("mutant `{}`", mutant.name));
        for (path, contents) in originals {
            self.write(path, contents.as_bytes())?;
        }
        verdict
    }

    fn noticed(&self, guard: &Guard) -> Result<Verdict> {
        let first = match guard {
            Guard::Model(target) => self.model(Some(target), PREEMPTIONS)?,
            Guard::Test(target) => self.tests(std::slice::from_ref(target))?,
            Guard::Nothing(_) => Verdict::Survived,
        };
        if first != Verdict::Survived || self.quick {
            return Ok(first);
        }
        // Of a mutant that the page argues for, no model is expected to fail. All of them with one
        // preemption take seconds, and with two a quarter of an hour for each such mutant.
        let preemptions = match guard {
            Guard::Nothing(_) => 1,
            _ => PREEMPTIONS,
        };
        let models = self.model(None, preemptions)?;
        if models != Verdict::Survived {
            return Ok(models);
        }
        let stress: Vec<Target> = STRESS.iter().map(|file| Target::parse(file)).collect();
        self.tests(&stress)
    }

    /// Runs one model, or all, with so many preemptions.
    fn model(&self, target: Option<&Target>, preemptions: u8) -> Result<Verdict> {
        let line = "test --profile loom --package loom-tests";
        let command = cargo::command_under_loom(&self.shell, line);
        let command = match target {
            Some(target) => command.args(["--test", &target.file]),
            None => command.arg("--tests"),
        };
        let name = target.and_then(|target| target.name.as_deref());
        self.run("model", command, name, preemptions)
    }

    fn tests(&self, targets: &[Target]) -> Result<Verdict> {
        // As it ships, with what the models' profile adds: optimised, where races are, and with
        // debug assertions.
        let line = "test --profile loom --package ringbus --all-features";
        let files = targets.iter().flat_map(|target| ["--test", &target.file]);
        let command = cargo::command(&self.shell, line).args(files);
        let command = command.env("CARGO_TARGET_DIR", "target/real");
        let name = match targets {
            [target] => target.name.as_deref(),
            _ => None,
        };
        self.run("test", command, name, PREEMPTIONS)
    }

    /// Builds what `command` names, and runs one program after the other until one fails.
    fn run(
        &self,
        kind: &str,
        command: Cmd<'_>,
        name: Option<&str>,
        preemptions: u8,
    ) -> Result<Verdict> {
        let built = command
            .args(["--no-run", "--message-format=json"])
            .env_remove("CARGO_ENCODED_RUSTFLAGS") // it would win over RUSTFLAGS
            .ignore_status()
            .output()?;
        if !built.status.success() {
            let error = cargo::first_error(&built.stdout)
                .unwrap_or_else(|| String::from_utf8_lossy(&built.stderr).trim().to_owned());
            return Ok(Verdict::DoesNotBuild(error));
        }
        for (file, program) in cargo::programs(&built.stdout, cargo::Kind::Tests) {
            let by = match self.run_program(&program, name, preemptions)? {
                End::Passed => continue,
                End::Failed(tests) => format!("{kind} {file}::{}", tests.join(", ")),
                End::Hung => format!("{kind} {file} (hangs)"),
            };
            return Ok(Verdict::Caught { by });
        }
        Ok(Verdict::Survived)
    }

    fn run_program(&self, program: &Path, name: Option<&str>, preemptions: u8) -> Result<End> {
        let log = self.shell.current_dir().join("target/output");
        let mut command = self.shell.cmd(program);
        if let Some(name) = name {
            command = command.args([name, "--exact"]);
        }
        let command = cargo::without_loom_variables(command);
        let command = command.env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
        let mut child = Command::from(command)
            .stdin(Stdio::null())
            .stdout(File::create(&log).with_context(|| log.display().to_string())?)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let Some(status) = child.wait_timeout(DEADLINE)? else {
            // It may have ended just now; either way it is gone.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(End::Hung);
        };
        if status.success() {
            return Ok(End::Passed);
        }
        if was_stopped(status) {
            bail!("{}: {status}: nothing is known", program.display());
        }
        let output = fs::read(&log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let failed = output.lines().filter_map(|line| {
            let test = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
            Some(test.to_owned())
        });
        let mut failed: Vec<String> = failed.collect();
        if failed.is_empty() {
            // It aborted before it could say which.
            failed.push(name.unwrap_or("(aborts)").to_owned());
        }
        Ok(End::Failed(failed))
    }
}

/// Whether a program was ended from outside: by a user, or by a system that is short of memory.
#[cfg(unix)]
fn was_stopped(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15]; // SIGHUP, SIGINT, SIGKILL, SIGTERM
    status
        .signal()
        .is_some_and(|signal| FROM_OUTSIDE.contains(&signal))
}

#[cfg(not(unix))]
fn was_stopped(_: ExitStatus) -> bool {
    false
}

/// How a test program ended.
enum End {
    Passed,
    Failed(Vec<String>),
    Hung,
}
