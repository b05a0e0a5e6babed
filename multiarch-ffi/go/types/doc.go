// Package types has the documents of multiarch as Go types: what goes into a call, and what comes out.
//
// Each type is one JSON schema of the C library (share/multiarch/schemas, which is installed beside the
// header); a test compares them. Nothing here needs cgo, so a program that only reads reports can use this
// package alone.
//
// Results may get new members in later versions; decoding skips those that it does not know. Texts that stand
// for one of several words, such as [Image.State], may get new words.
package types
