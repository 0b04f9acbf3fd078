//! The lines of a run's record as a table.

use super::lines;
use crate::error::{Error, Result};
use crate::train::{EVALUATIONS_FILE, METRICS_FILE};
use serde_json::{Map, Value};
use std::path::Path;

/// Lines of `metrics.jsonl` or of `evaluations.jsonl`.
#[derive(Clone, Debug)]
pub struct Record {
    lines: Vec<Map<String, Value>>,
}

impl Record {
    /// Those of `metrics.jsonl` in a run directory.
    ///
    /// # Errors
    /// [`Error::File`] where it is not there or cannot be read.
    pub fn metrics(run: &Path) -> Result<Self> {
        Self::read(run, METRICS_FILE)
    }

    /// Those of `evaluations.jsonl` in a run directory.
    ///
    /// # Errors
    /// [`Error::File`] where it is not there or cannot be read.
    pub fn evaluations(run: &Path) -> Result<Self> {
        Self::read(run, EVALUATIONS_FILE)
    }

    fn read(run: &Path, name: &str) -> Result<Self> {
        let path = run.join(name);
        if !path.exists() {
            let reason = if run.is_dir() {
                format!("it holds no {name}; name a run directory, or its folder of one seed")
            } else {
                "there is no such run directory".to_owned()
            };
            return Err(Error::File { action: "read", path: run.to_owned(), reason });
        }
        Ok(Self { lines: lines(&path)? })
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The table as lines of CSV, each with its end: names, and a row for each line. What a line does not have is empty; an object in
    /// a line has a column for each of its numbers, `object.number`.
    pub fn csv(&self) -> Vec<String> {
        let rows: Vec<Vec<(String, String)>> = self.lines.iter().map(row).collect();
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in rows.iter().flatten() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let line = |cells: Vec<&str>| cells.join(",") + "\n";
        let cell = |row: &'_ [(String, String)], name: &str| {
            row.iter().find(|(own, _)| own == name).map_or(String::new(), |(_, value)| value.clone())
        };
        let cells =
            |row: &Vec<(String, String)>| names.iter().map(|name| cell(row, name)).collect::<Vec<_>>().join(",") + "\n";
        let mut all = vec![line(names.clone())];
        all.extend(rows.iter().map(cells));
        all
    }
}

/// The numbers of a line with their names.
fn row(line: &Map<String, Value>) -> Vec<(String, String)> {
    let cells = |(name, value): (&String, &Value)| match value {
        Value::Object(inner) => row(inner).into_iter().map(|(own, value)| (format!("{name}.{own}"), value)).collect(),
        Value::Null => vec![(name.clone(), String::new())],
        value => vec![(name.clone(), value.to_string())],
    };
    line.iter().flat_map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn columns_are_those_of_all_lines() {
        let line = |text: &str| serde_json::from_str(text).expect("JSON");
        let record = Record {
            lines: vec![
                line(r#"{"update":0,"mean_return":null,"best":{"mean":1.5}}"#),
                line(r#"{"update":1,"mean_return":-2.25,"kl":3e-9}"#),
            ],
        };
        assert_eq!(record.csv(), ["update,mean_return,best.mean,kl\n", "0,,1.5,\n", "1,-2.25,,3e-9\n"]);
    }
}
