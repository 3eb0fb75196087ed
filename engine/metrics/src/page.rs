//! What a page of numbers must know.

use crate::Exposition;

/// Somebody who knows how a node is. Asked from the server's thread, at any time.
pub trait Page: Send + Sync + 'static {
    /// Writes every number. No name or number of a person, tag or subject may be among the labels.
    fn write(&self, exposition: &mut Exposition);

    /// Whether the process works and need not be restarted.
    ///
    /// # Errors
    ///
    /// Why it does not work, in a sentence.
    fn health(&self) -> Result<(), String>;

    /// Whether it has recovered, listens, decides and stores. One that is not ready still raises
    /// alarms once it has recovered: do not cut its feeds off for that.
    ///
    /// # Errors
    ///
    /// What is missing, in a sentence.
    fn readiness(&self) -> Result<(), String>;
}
