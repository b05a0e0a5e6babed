//! The interface of a chart repository.

use crate::{
    chart::PackedChart,
    error::{Error, ErrorKind, Result},
    run::workers,
};

/// A place that charts can be read from and written to. `None` means that a chart is not there;
/// failures are errors.
pub(crate) trait ChartRepo: Send + Sync {
    /// Checks what can be checked before any chart is known: that the repository answers and takes
    /// charts.
    ///
    /// # Errors
    /// What is wrong with the repository as a whole.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Prepares the repository for charts; called once, before anything is sent.
    ///
    /// # Errors
    /// Where nothing can be written.
    fn prepare(&self) -> Result<()> {
        Ok(())
    }

    /// A packed chart.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>>;

    /// Adds to an error of what such a chart holds where it is: its file, or its host and the request.
    fn place(&self, error: Error, name: &str, version: &str) -> Error {
        let _ = (name, version);
        error
    }

    /// Stores a chart. One of the same name and version is replaced only with `replace`.
    ///
    /// # Errors
    /// Where it cannot be written; [`ErrorKind::ChartConflict`] where one is there and `replace` is
    /// false, or the server refuses to replace it.
    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()>;

    /// Name and version of every chart.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn list(&self) -> Result<Vec<(String, String)>>;

    /// How many requests at once are useful.
    fn jobs(&self) -> usize {
        workers::processors()
    }
}

/// The error for a chart that is not stored, because one of its name and version is there.
pub(crate) fn chart_exists_error(chart: &PackedChart) -> Error {
    let message = format!("{} is there already", chart.file_name());
    Error::new(ErrorKind::ChartConflict, message)
}
