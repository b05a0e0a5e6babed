//! The examples stand in `examples/`, one program each.
