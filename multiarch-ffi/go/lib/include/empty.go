// Package include holds what releases of this module bring for cgo. It is a package so that go mod vendor takes
// its files along.
package include
