//go:build !linux

package sqlite

import "errors"

// notify is not known how to be done on this system.
func notify(string, func()) (stop func(), err error) { return func() {}, errors.ErrUnsupported }
