//! Events for eyes and for programs.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;

const TYPE: Style = AnsiColor::Cyan.on_default().bold();
const QUIET: Style = Style::new().dimmed();

pub enum Printer {
    Json,
    Text { coloured: bool },
}

impl Printer {
    pub fn new(json: bool) -> Self {
        if json || !io::stdout().is_terminal() {
            return Printer::Json;
        }
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Printer::Text { coloured: !plain }
    }

    /// Prints one event, in one line.
    pub fn event(&self, event: &Value, now: Timestamp) -> io::Result<()> {
        let mut line = match self {
            Printer::Json => event.to_string(),
            Printer::Text { coloured } => text(event, now, *coloured),
        };
        line.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    }
}

fn text(event: &Value, now: Timestamp, coloured: bool) -> String {
    let styled = |style: Style, text: String| {
        if coloured {
            format!("{style}{text}{style:#}")
        } else {
            text
        }
    };
    let mut line = styled(QUIET, format!("{now:.3}"));
    let kind = event.get("type").and_then(Value::as_str);
    let _ = write!(line, " {}", styled(TYPE, clean(kind.unwrap_or("?"))));
    match event.get("opts") {
        None | Some(Value::Null) => {}
        Some(Value::Object(opts)) => {
            for (key, value) in opts {
                let key = styled(QUIET, format!("{}=", clean(key)));
                let _ = write!(line, " {key}{}", shown(value));
            }
        }
        Some(other) => {
            let _ = write!(line, " {}", shown(other));
        }
    }
    line
}

/// As JSON, but words without their quotes.
fn shown(value: &Value) -> String {
    let is_word = |text: &str| !text.is_empty() && !text.contains([' ', '"', '=']);
    match value {
        Value::String(text) if is_word(text) => clean(text),
        value => clean(&value.to_string()),
    }
}

/// Without control characters, which a terminal would obey.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            let _ = write!(clean, "\\u{:04x}", u32::from(char));
        } else {
            clean.push(char);
        }
    }
    clean
}
