module github.com/multiarch/multiarch/examples/installer

go 1.24

require (
	github.com/multiarch/multiarch/multiarch-ffi/go v0.0.0
	github.com/spf13/cobra v1.10.2
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)

replace github.com/multiarch/multiarch/multiarch-ffi/go => ../../multiarch-ffi/go
