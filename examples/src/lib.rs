//! The examples are in `examples/`, one program each.
