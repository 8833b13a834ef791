//! Other programs: started with a clean environment, shown as the user would type them, never waited for without a limit,
//! and never left behind.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Outcome, workspace};

/// How often a wait for a program's end looks again.
const POLL: Duration = Duration::from_millis(10);

/// `cargo`, in the root of the workspace.
///
/// What cargo tells the program that it runs (`CARGO_PKG_NAME` and the like) is taken out again: build scripts that watch
/// these variables, ring's for one, would otherwise be rebuilt each time somebody changes between `cargo xtask` and cargo.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_BIN_NAME" {
            command.env_remove(&name);
        }
    }
    command
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!(
                "{}={}",
                name.to_string_lossy(),
                quoted(&value.to_string_lossy())
            ));
        }
    }
    let program = PathBuf::from(command.get_program());
    let program = program
        .file_name()
        .unwrap_or(OsStr::new("?"))
        .to_string_lossy()
        .into_owned();
    words.push(program);
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// Shows the command and runs it to its end, its output going straight to the user.
pub(crate) fn stream(command: &mut Command) -> Outcome<()> {
    println!("$ {}", shown(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("`{}` could not be started: {error}", shown(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` {}", shown(command), ended(status)))
    }
}

/// Shows the command, gives it the user's own input and output, and passes its exit code on. On Unix it takes the place of
/// this program, so that Ctrl-C is its alone.
pub(crate) fn hand_over(command: &mut Command) -> Outcome<ExitCode> {
    println!("$ {}", shown(command));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(format!("`{}` could not be started: {error}", shown(command)))
    }
    #[cfg(not(unix))]
    {
        let status = command
            .status()
            .map_err(|error| format!("`{}` could not be started: {error}", shown(command)))?;
        // No code: a signal ended it. 130 is what a shell says after Ctrl-C, the usual case.
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(130);
        Ok(ExitCode::from(code))
    }
}

/// Runs the command silently to its end and gives what it wrote to its standard output.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Outcome<String> {
    let finished = Running::start(command)?.finish(limit)?;
    if finished.status.success() {
        Ok(finished.output)
    } else {
        Err(format!(
            "`{}` {}\n{}",
            shown(command),
            ended(finished.status),
            finished.errors.trim_end()
        ))
    }
}

/// Builds a program of the workspace, with all features, and tells where it is.
pub(crate) fn build(package: &str, program: &str) -> Outcome<PathBuf> {
    build_target(package, "--bin", program)
}

/// The same for an example.
pub(crate) fn build_example(package: &str, program: &str) -> Outcome<PathBuf> {
    build_target(package, "--example", program)
}

fn build_target(package: &str, kind: &str, program: &str) -> Outcome<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", package, kind, program, "--all-features"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    println!("$ {}", shown(&command));
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("the program `{program}` could not be built, see above"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| format!("cargo did not tell where it put the program `{program}`"))
}

/// How a program ended, in words.
pub(crate) fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended: {status}"),
    }
}

/// The program of this name on the search path.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A program that runs beside this one. Dropping it kills it.
pub(crate) struct Running {
    shown: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Arc<Mutex<String>>,
}

/// What is known of a program that has ended.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// What it wrote to its standard output and nobody had read yet.
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Running {
    /// Starts the program with all three standard streams in our hands.
    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        let shown = shown(command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{shown}` could not be started: {error}"))?;
        let (sender, lines) = mpsc::channel();
        let errors = Arc::new(Mutex::new(String::new()));
        // The two threads end with the streams that they read; nobody waits for them.
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                let mut output = BufReader::new(output);
                let mut line = Vec::new();
                while output.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                    if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                        break;
                    }
                    line.clear();
                }
            });
        }
        if let Some(mut stream) = child.stderr.take() {
            let errors = Arc::clone(&errors);
            thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut chunk) {
                    let text = String::from_utf8_lossy(&chunk[..count]);
                    errors.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                }
            });
        }
        let input = child.stdin.take();
        Ok(Self {
            shown,
            child,
            input,
            lines,
            errors,
        })
    }

    /// The next line that the program writes, without its end.
    pub(crate) fn line(&mut self, limit: Duration) -> Outcome<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "`{}` wrote no line within {limit:?}{}",
                self.shown,
                self.complaints()
            )),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait(Duration::from_secs(1)).map_or_else(|text| text, ended);
                Err(format!(
                    "`{}` {status}, where a line was expected{}",
                    self.shown,
                    self.complaints()
                ))
            }
        }
    }

    /// Writes to the program's standard input.
    pub(crate) fn write(&mut self, text: &str) -> Outcome<()> {
        let Some(input) = &mut self.input else {
            return Err(format!("the input of `{}` is closed", self.shown));
        };
        let written = input.write_all(text.as_bytes()).and_then(|()| input.flush());
        written.map_err(|error| format!("`{}` does not read its input: {error}{}", self.shown, self.complaints()))
    }

    /// Closes the program's standard input and waits for its end; kills it when the time is up.
    pub(crate) fn finish(mut self, limit: Duration) -> Outcome<Finished> {
        drop(self.input.take());
        let until = Instant::now() + limit;
        let mut output = String::new();
        // A program that writes much must be read while it is waited for. Its output may also outlive it, in the hands of
        // a child of its own: then the end of the program itself counts.
        let status = loop {
            match self.lines.recv_timeout(POLL) {
                Ok(line) => output.push_str(&line),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = self.poll()? {
                        // What it wrote last may still be on its way through the thread that reads.
                        while let Ok(line) = self.lines.recv_timeout(POLL * 20) {
                            output.push_str(&line);
                        }
                        break status;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    break self.wait(until.saturating_duration_since(Instant::now()))?;
                }
            }
            if Instant::now() >= until {
                return Err(format!(
                    "`{}` still ran after {limit:?}{}{}",
                    self.shown,
                    if output.is_empty() {
                        String::new()
                    } else {
                        format!("; it said:\n{}", output.trim_end())
                    },
                    self.complaints()
                ));
            }
        };
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Finished { status, output, errors })
    }

    /// Kills the program, and gives what it wrote and nobody had read yet.
    pub(crate) fn kill(mut self) -> String {
        // It fails only when the program has ended already.
        let _ = self.child.kill();
        let mut output = String::new();
        while let Ok(line) = self.lines.recv_timeout(POLL * 20) {
            output.push_str(&line);
        }
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        output + errors.trim_end()
    }

    /// Waits for the program's end.
    fn wait(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            if Instant::now() >= until {
                return Err(format!(
                    "`{}` still ran after {limit:?}{}",
                    self.shown,
                    self.complaints()
                ));
            }
            thread::sleep(POLL);
        }
    }

    fn poll(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child
            .try_wait()
            .map_err(|error| format!("`{}` cannot be waited for: {error}", self.shown))
    }

    /// What the program wrote to its standard error, for a message.
    fn complaints(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.trim().is_empty() {
            String::new()
        } else {
            format!("; it wrote:\n{}", errors.trim_end())
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the program has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--cfg", "a b"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(shown(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --cfg 'a b'");
    }

    #[test]
    fn lines_go_in_and_out() {
        let mut cat = Running::start(&mut Command::new("cat")).unwrap();
        cat.write("one\ntwo\nthree").unwrap();
        assert_eq!(cat.line(SOON).unwrap(), "one");
        let finished = cat.finish(SOON).unwrap();
        assert!(finished.status.success());
        assert_eq!(finished.output, "two\nthree");
    }

    #[test]
    fn a_wait_has_an_end_and_the_program_too() {
        let begun = Instant::now();
        let mut sleeper = Running::start(Command::new("sleep").arg("100")).unwrap();
        assert!(
            sleeper
                .line(Duration::from_millis(50))
                .unwrap_err()
                .contains("wrote no line")
        );
        assert!(
            sleeper
                .finish(Duration::from_millis(50))
                .err()
                .unwrap()
                .contains("still ran")
        );
        assert!(begun.elapsed() < SOON);
    }

    #[test]
    fn a_failure_tells_what_the_program_wrote() {
        let text = capture(Command::new("sh").args(["-c", "echo no such thing >&2; exit 3"]), SOON).unwrap_err();
        assert!(text.contains("exit code 3") && text.contains("no such thing"), "{text}");
    }
}
