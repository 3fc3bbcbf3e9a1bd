package sqlite

import (
	"errors"
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

// damaged returns an error about a row that can't be read. It matches
// [webhook.ErrDamaged].
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", webhook.ErrDamaged, fmt.Errorf(format, args...))
}

// damage collects what can't be read while the rest is. Of many errors it keeps the
// first and counts the others.
type damage struct {
	first  error
	others int
}

// note returns err unless it tells of damaged data.
func (d *damage) note(err error) error {
	if !errors.Is(err, webhook.ErrDamaged) {
		return err
	}
	if d.first == nil {
		d.first = err
	} else {
		d.others++
	}
	return nil
}

// found returns the error that tells of what was noted, nil where nothing was.
func (d *damage) found(what string) error {
	switch {
	case d.first == nil:
		return nil
	case d.others == 0:
		return fmt.Errorf("sqlite: %s: %w", what, d.first)
	}
	return fmt.Errorf("sqlite: %s: %w (and %d more)", what, d.first, d.others)
}
