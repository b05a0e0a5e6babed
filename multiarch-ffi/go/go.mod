module github.com/multiarch/multiarch/multiarch-ffi/go

go 1.24
