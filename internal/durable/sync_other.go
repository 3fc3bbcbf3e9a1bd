//go:build !linux

package durable

import "os"

// On macOS, Sync waits for the drive as well (F_FULLFSYNC).
func sync(f *os.File) error { return f.Sync() }
