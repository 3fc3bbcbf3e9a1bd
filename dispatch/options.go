package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// Options tune an engine. Nil and zero values mean the defaults, which are good
// ones.
type Options struct {
	// Concurrency is how many requests may be in flight to callbacks that answered,
	// whatever they answered, within a second the last time. Beyond these, deliveries
	// that are soon to be sent wait in memory, up to 64 for each. Default 128.
	Concurrency int

	// PerCallback is how many of them may go to one callback to begin with. While it
	// answers fast with success, and more requests do not make it slower, it may have
	// more, up to Concurrency less an eighth that is left to others; each failure halves
	// the number. Default 8.
	PerCallback int

	// Probation is how many requests may be in flight, beside those, to callbacks
	// that did not answer, that have failed ten times in a row, or that have not been
	// tried yet: one to each. Default 1024.
	Probation int

	// Timeout is the total time of one attempt: resolving, connecting, sending
	// and waiting for the answer. Default 15 seconds.
	Timeout time.Duration

	// Retry says when a failed attempt is repeated.
	Retry Retry

	// DisableAfter is for how long a callback may have failed, with no success in
	// between, for the next failure to disable it. Default 5 days; a negative value
	// means never.
	DisableAfter time.Duration

	// OnDisable is told of each callback that this engine has disabled, in its state
	// now: after an answer of 410 Gone, or when it has failed for DisableAfter. It may
	// take its time, but Run does not return before it does: when Run is to end, ctx
	// ends a second after the last request that may be in flight. Calls may overlap. A
	// panic is logged. Should the process die before the call, it is never made.
	OnDisable func(ctx context.Context, c webhook.Callback)

	// Targets says what may be called: by default the public internet on ports 80
	// and 443.
	Targets Targets

	// Conditions limit what an expression may be and do.
	Conditions condition.Options

	// KeepDelivered and KeepDead are how long deliveries that have ended are
	// kept for inspection, and KeepDelivered how long an event's ID is known to
	// have been used. Defaults: 24 hours and 30 days.
	KeepDelivered time.Duration
	KeepDead      time.Duration

	// Logger takes what the host may want to know. Default: silent.
	Logger *slog.Logger
}

// withDefaults returns a copy with the gaps filled, or an error that names the
// option.
func (o *Options) withDefaults() (Options, error) {
	var filled Options
	if o != nil {
		filled = *o
	}
	for _, option := range []struct {
		name  string
		value *int
		def   int
	}{
		{"Concurrency", &filled.Concurrency, 128},
		{"PerCallback", &filled.PerCallback, 8},
		{"Probation", &filled.Probation, 1024},
	} {
		if *option.value < 0 {
			return Options{}, fmt.Errorf("dispatch: Options.%s is negative", option.name)
		}
		if *option.value == 0 {
			*option.value = option.def
		}
	}
	for _, option := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Timeout", &filled.Timeout, 15 * time.Second},
		{"DisableAfter", &filled.DisableAfter, 5 * 24 * time.Hour},
		{"KeepDelivered", &filled.KeepDelivered, 24 * time.Hour},
		{"KeepDead", &filled.KeepDead, 30 * 24 * time.Hour},
	} {
		if *option.value < 0 && option.value != &filled.DisableAfter {
			return Options{}, fmt.Errorf("dispatch: Options.%s is negative", option.name)
		}
		if *option.value == 0 {
			*option.value = option.def
		}
	}
	if filled.Logger == nil {
		filled.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if filled.Retry, err = filled.Retry.withDefaults(); err != nil {
		return Options{}, err
	}
	if err := filled.Targets.validate(); err != nil {
		return Options{}, err
	}
	filled.Targets.AllowPrivate = slices.Clone(filled.Targets.AllowPrivate)
	filled.Targets.AllowPorts = slices.Clone(filled.Targets.AllowPorts)
	filled.Targets.AllowHosts = slices.Clone(filled.Targets.AllowHosts)
	return filled, nil
}
