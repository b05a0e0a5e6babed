//! What a chart repository can do.

use crate::{
    chart::PackedChart,
    error::{Error, ErrorKind, Result},
};

/// A place that charts can be read from and written to. `None` means that a chart is not there;
/// every other failure is an error.
pub(crate) trait ChartRepo: Send + Sync {
    /// Asks what can be asked before anything is known of charts: that somebody is there, and takes
    /// them.
    ///
    /// # Errors
    /// What is wrong with the repository as a whole.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Makes ready for charts to come; called once, before anything is sent.
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

    /// Stores a chart; one of the same name and version is replaced only where that is asked for.
    ///
    /// # Errors
    /// Where it cannot be written; [`ErrorKind::ChartConflict`] where one is there that was not to be
    /// replaced, or that the server does not let replace.
    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()>;

    /// Name and version of every chart.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn list(&self) -> Result<Vec<(String, String)>>;

    /// How many requests at once are of use.
    fn jobs(&self) -> usize {
        1
    }
}

/// Why a chart is not stored: one of its name and version is there.
pub(crate) fn exists(chart: &PackedChart) -> Error {
    let message = format!("{} is there already", chart.file_name());
    Error::new(ErrorKind::ChartConflict, message)
}
