//! Paper: labels on the left, text on the right, wrapped.

use std::io::{self, Write};

/// Where the text begins.
const MARGIN: usize = 14;
/// Where it ends.
const WIDTH: usize = 100;

/// A page that is being written.
pub(crate) struct Page<W> {
    out: W,
    /// The label of the line before.
    label: &'static str,
}

impl<W: Write> Page<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out, label: "" }
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.label = "";
        writeln!(self.out, "{}", text.trim_end())
    }

    /// A title, underlined.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        self.line(&format!("\n{text}\n{}", "=".repeat(text.len())))
    }

    /// What somebody says; who it is, only if it was another before.
    pub(crate) fn says(&mut self, who: &'static str, text: &str) -> io::Result<()> {
        let label = if who == self.label { "" } else { who };
        self.label = who;
        for (number, line) in wrap(text).iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            writeln!(self.out, "    {label:<10}{line}")?;
        }
        Ok(())
    }

    /// Several lines of one label; what repeats itself, once.
    pub(crate) fn say_all(&mut self, who: &'static str, lines: &[String]) -> io::Result<()> {
        let mut rest = lines;
        while !rest.is_empty() {
            let (length, times) = repetition(rest);
            for (number, line) in rest[..length].iter().enumerate() {
                let is_last = number + 1 == length;
                match (is_last && times > 1, length) {
                    (true, 1) => self.says(who, &format!("{line} ({times} times)"))?,
                    (true, _) => self.says(who, &format!("{line} (all this {times} times)"))?,
                    (false, _) => self.says(who, line)?,
                }
            }
            rest = &rest[length * times..];
        }
        Ok(())
    }
}

/// How many lines at the beginning repeat themselves, and how often they stand
/// there.
fn repetition(lines: &[String]) -> (usize, usize) {
    let times =
        |length: usize| lines.chunks(length).take_while(|chunk| *chunk == &lines[..length]).count();
    let found =
        (1..=lines.len() / 2).map(|length| (length, times(length))).find(|(_, times)| *times > 1);
    found.unwrap_or((1, 1))
}

/// Breaks at spaces; what comes after the first line stands two further in.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { return lines };
        if !line.trim().is_empty() && line.len() + 1 + word.len() > WIDTH - MARGIN {
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
