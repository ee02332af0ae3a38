//! Records as files: raw, but neither longer nor more exact than they need be.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::number::rounded;
use crate::record::Record;

/// One scenario a line.
pub fn write(record: &mut Record, file: &Path) -> Result<(), Error> {
    for scenario in &mut record.scenarios {
        scenario.flag = rounded(scenario.flag);
        for series in &mut scenario.series {
            series
                .samples
                .iter_mut()
                .for_each(|value| *value = rounded(*value));
            for (_, value) in &mut series.curve {
                *value = rounded(*value);
            }
        }
    }
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = text(record).map_err(|error| failed(&error))?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    fs::write(file, text).map_err(|error| failed(&error))?;
    Ok(())
}

pub fn read(file: &Path) -> Result<Record, Error> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    Ok(serde_json::from_str(&text).map_err(|error| failed(&error))?)
}

fn text(record: &Record) -> serde_json::Result<String> {
    let scenarios: Result<Vec<String>, _> =
        record.scenarios.iter().map(serde_json::to_string).collect();
    Ok(format!(
        "{{\"target\":{},\"quick\":{},\n\"machine\":{},\n\"scenarios\":[\n{}\n]}}\n",
        serde_json::to_string(&record.target)?,
        record.quick,
        serde_json::to_string(&record.machine)?,
        scenarios?.join(",\n")
    ))
}
