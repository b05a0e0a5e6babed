//go:build cgo && !multiarch_command && multiarch_dynamic

package multiarch

// #cgo pkg-config: multiarch
import "C"
