package webhook

import (
	"errors"
	"fmt"
)

// Errors of the contract, to be matched with errors.Is.
var (
	// ErrNotFound: there is no such callback or delivery.
	ErrNotFound = errors.New("webhook: not found")

	// ErrInvalid: a value is not acceptable. The error that wraps it is an
	// *InvalidError and names the field.
	ErrInvalid = errors.New("webhook: invalid")

	// ErrConflict: the callback has changed since it was read. Read it again
	// and repeat the update.
	ErrConflict = errors.New("webhook: changed meanwhile")

	// ErrLimit: there are as many of something as there may be.
	ErrLimit = errors.New("webhook: too many")
)

// Errors of taking events in and of delivering again, to be matched with errors.Is.
var (
	// ErrBacklogFull: as much waits to be delivered as the host allows. Nothing was
	// appended; it may be once some of it has been delivered.
	ErrBacklogFull = errors.New("webhook: too much waits to be delivered")

	// ErrDisabled: the callback is disabled. Enable it first.
	ErrDisabled = errors.New("webhook: callback is disabled")
)

// ErrDamaged: some of what is stored can't be read. A method that returns it has done
// for the rest what it does.
var ErrDamaged = errors.New("webhook: damaged data")

// ErrFenced is returned to a worker that is not registered, most often because
// another one declared it dead. Its claims belong to others by now: what it
// still holds must be dropped, not settled.
var ErrFenced = errors.New("webhook: worker was declared dead")

// An InvalidError says which field is to blame and what to do about it.
// It matches [ErrInvalid].
type InvalidError struct {
	// Field is the property as its author knows it, such as "url" or
	// "profile.fields.age"; empty where no single one is to blame.
	Field string
	// Message says what is wrong and what is accepted instead. It may be shown
	// to the author of the value.
	Message string
}

// Error returns the field and the message.
func (e *InvalidError) Error() string {
	if e.Field == "" {
		return "webhook: invalid: " + e.Message
	}
	return "webhook: invalid " + e.Field + ": " + e.Message
}

// Is reports whether target is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Invalid returns an *InvalidError for field with a formatted message.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Message: fmt.Sprintf(format, args...)}
}
