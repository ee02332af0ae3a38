//! A copy of the project in which one mutant after the other is tried.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::mutant::{Guard, Mutant, Target, read};
use super::table::Verdict;
use crate::{Result, cargo, git};

/// A test program that runs for longer hangs, which is a way to notice.
const DEADLINE: Duration = Duration::from_secs(600);

/// How many preemptions a model explores, as in `cargo xtask loom`.
const PREEMPTIONS: u8 = 2;

/// What runs against a mutant that its own guard lets pass, besides every model.
const STRESS: &[&str] = &["stress", "hooks", "properties"];

pub struct Lane {
    root: PathBuf,
    /// Nothing but the guard runs.
    quick: bool,
}

impl Lane {
    /// Makes a copy of what is in the working tree. The build of an earlier run is kept, and nothing
    /// else of it, because cargo would find and run a test that is gone.
    pub fn new(id: usize, quick: bool) -> Result<Lane> {
        let root = std::env::current_dir()
            .map_err(|error| format!("the current directory: {error}"))?
            .join(format!("target/mutants/{id}"));
        let lane = Lane { root, quick };
        let files = git::working_files()?;
        lane.remove_all_but(&files)?;
        for path in files {
            let contents = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
            lane.write(&path, &contents)?;
        }
        Ok(lane)
    }

    /// Removes what an earlier copy had besides `files`.
    fn remove_all_but(&self, files: &[String]) -> Result {
        let built = self.root.join("target");
        let copies = walkdir::WalkDir::new(&self.root)
            .into_iter()
            .filter_entry(|entry| entry.path() != built)
            // There is none yet.
            .filter_map(|entry| entry.ok())
            .filter(|entry| !entry.file_type().is_dir());
        for copy in copies {
            let path = copy.path();
            let is_kept = |file: &String| self.root.join(file) == path;
            if !files.iter().any(is_kept) {
                std::fs::remove_file(path)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Writes a file of the copy, unless it is the same: cargo goes by times.
    fn write(&self, path: &str, contents: &[u8]) -> Result {
        let to = self.root.join(path);
        if std::fs::read(&to).is_ok_and(|found| found == contents) {
            return Ok(());
        }
        let made = to.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&to, contents))
            .map_err(|error| format!("{}: {error}", to.display()))
    }

    /// Puts the mutant in, sees who notices, and takes it out again.
    pub fn try_out(&self, mutant: &Mutant) -> Result<Verdict> {
        let mut originals = Vec::new();
        for (path, contents) in &mutant.files {
            // The copy's own: in the working tree somebody may be at work.
            originals.push((path, read(self.root.join(path))?));
            self.write(path, contents.as_bytes())?;
        }
        let verdict = self
            .noticed(&mutant.guard)
            .map_err(|error| format!("mutant `{}`: {error}", mutant.name));
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
        let mut command = cargo::command("test --profile loom --package loom-tests");
        match target {
            Some(target) => command.args(["--test", &target.file]),
            None => command.arg("--tests"),
        };
        command
            .env("RUSTFLAGS", "--cfg loom")
            .env("CARGO_TARGET_DIR", self.root.join("target/loom"));
        let name = target.and_then(|target| target.name.as_deref());
        self.run("model", command, name, preemptions)
    }

    fn tests(&self, targets: &[Target]) -> Result<Verdict> {
        // As it ships, with what the models' profile adds: optimised, where races are, and with debug assertions.
        let mut command = cargo::command("test --profile loom --package ringbus --all-features");
        for target in targets {
            command.args(["--test", &target.file]);
        }
        command.env("CARGO_TARGET_DIR", self.root.join("target/real"));
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
        mut command: Command,
        name: Option<&str>,
        preemptions: u8,
    ) -> Result<Verdict> {
        let built = command
            .args(["--no-run", "--message-format=json"])
            .current_dir(&self.root)
            .env_remove("CARGO_ENCODED_RUSTFLAGS") // it would win over RUSTFLAGS
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        if !built.status.success() {
            let error = cargo::first_error(&built.stdout)
                .unwrap_or_else(|| String::from_utf8_lossy(&built.stderr).trim().to_owned());
            return Ok(Verdict::DoesNotBuild(error));
        }
        for (file, program) in cargo::programs(&built.stdout, cargo::Kind::Tests) {
            match self.run_program(&program, name, preemptions)? {
                End::Passed => {}
                End::Failed(tests) => {
                    let by = format!("{kind} {file}::{}", tests.join(", "));
                    return Ok(Verdict::Caught { by });
                }
                End::Hung => {
                    return Ok(Verdict::Caught {
                        by: format!("{kind} {file} (hangs)"),
                    });
                }
            }
        }
        Ok(Verdict::Survived)
    }

    fn run_program(&self, program: &Path, name: Option<&str>, preemptions: u8) -> Result<End> {
        let log = self.root.join("target/output");
        let sink =
            std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(program);
        if let Some(name) = name {
            command.args([name, "--exact"]);
        }
        // The same models for everyone: nothing in the environment may weaken them.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOOM_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string())
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(sink)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                break status;
            }
            if Instant::now() > deadline {
                // It may have ended just now; either way it is gone.
                let _ = child.kill();
                let _ = child.wait();
                return Ok(End::Hung);
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        if status.success() {
            return Ok(End::Passed);
        }
        if was_stopped(status) {
            return Err(format!("{}: {status}: nothing is known", program.display()));
        }
        let output = std::fs::read(&log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let mut failed: Vec<String> = output
            .lines()
            .filter_map(|line| {
                Some(
                    line.strip_prefix("test ")?
                        .strip_suffix(" ... FAILED")?
                        .to_owned(),
                )
            })
            .collect();
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
