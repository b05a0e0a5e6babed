//go:build multiarch_vendor

package multiarch

// Nobody sets the tag; go mod vendor follows imports whatever their tags, and copies no folder that nothing
// imports.
import (
	_ "github.com/multiarch/multiarch/multiarch-ffi/go/lib/include"
	_ "github.com/multiarch/multiarch/multiarch-ffi/go/lib/linux_amd64"
	_ "github.com/multiarch/multiarch/multiarch-ffi/go/lib/linux_amd64_musl"
	_ "github.com/multiarch/multiarch/multiarch-ffi/go/lib/linux_arm64"
	_ "github.com/multiarch/multiarch/multiarch-ffi/go/lib/linux_arm64_musl"
)
