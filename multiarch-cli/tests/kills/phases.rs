//! The command is asked to end in every phase.
