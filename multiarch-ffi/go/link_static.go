//go:build cgo && !multiarch_command && !multiarch_dynamic && !multiarch_prebuilt

package multiarch

// #cgo pkg-config: multiarch-static
import "C"
