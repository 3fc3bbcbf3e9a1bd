//go:build !linux

package sqlite

import "errors"

// A notifier is not known how to be made on this system.
type notifier struct{}

func newNotifier(string, func()) (*notifier, error) { return nil, errors.ErrUnsupported }

func (*notifier) arm() error { return errors.ErrUnsupported }

func (*notifier) stop() {}
