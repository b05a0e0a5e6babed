// Package multiarch brings offline packages of several CPU architectures into a registry or a directory, and
// fuses them with what is there, without ever losing an architecture.
//
// A [Client] does what the command multiarch does: [Client.Inspect] lists what packages hold, [Client.Plan]
// says what an import would do, [Client.Import] does it, [Client.Apply] does what a saved plan says,
// [Client.Verify] and [Client.Status] look at a target. Results are the documents of package types.
//
// # Three ways to build
//
// With cgo the C library is linked, which pkg-config finds: install it with ci/install-capi, and set
// PKG_CONFIG_PATH to its folder lib/pkgconfig where that is no standard one.
//
//   - by default statically, so that the program needs no library to run
//   - with the tag multiarch_dynamic as libmultiarch.so
//   - without cgo (CGO_ENABLED=0, and what Go builds for another machine by default), or with the tag
//     multiarch_command, the command is called, which must be installed beside the
//     program or in the PATH; its results are the same
//
// What go has built it caches without regard to PKG_CONFIG_PATH and to the library there: after a change of
// either, build with -a once.
//
// Statically linked, musl included, a program is one file: build it with the C library for musl, CC=musl-gcc
// and
//
//	-ldflags '-linkmode external -extldflags "-static -Wl,--eh-frame-hdr"'
//
// Without the last flag a fault of the library would end the process instead of being an error.
//
// In releases of this module the static libraries are part of it, and pkg-config is not asked but with the tag
// multiarch_system. The tag musl takes those for musl.
//
// # What stays as it was
//
// No call installs a handler of signals, prints, or changes the environment, the working directory or the
// umask. Nothing of a call outlives it, and so there is nothing that a finalizer would have to free: no thread,
// no memory of C, no temporary file. Paths in options are best absolute.
//
// A call must not be made before the program's packages are initialised, in init or in a variable's value: it
// would wait for that. Options and plans of more than 64 MiB are refused by the command.
//
// Logins stand in [WithCredentials], or are looked for in the environment (MULTIARCH_USERNAME and
// MULTIARCH_PASSWORD) and in docker's and podman's files. They never stand in the arguments of a process, in an
// error or in a result.
package multiarch
