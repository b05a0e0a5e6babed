//go:build cgo && !multiarch_command && !multiarch_dynamic && multiarch_prebuilt

package multiarch

// #cgo CFLAGS: -I${SRCDIR}/lib/include
// #cgo linux,amd64,!musl LDFLAGS: ${SRCDIR}/lib/linux_amd64/libmultiarch.a
// #cgo linux,arm64,!musl LDFLAGS: ${SRCDIR}/lib/linux_arm64/libmultiarch.a
// #cgo linux,amd64,musl LDFLAGS: ${SRCDIR}/lib/linux_amd64_musl/libmultiarch.a
// #cgo linux,arm64,musl LDFLAGS: ${SRCDIR}/lib/linux_arm64_musl/libmultiarch.a
// #cgo linux,!musl LDFLAGS: -lgcc_s -lutil -lrt -lpthread -lm -ldl
import "C"
