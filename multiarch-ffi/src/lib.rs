//! C library of multiarch: the functions come with a later version.
