package condition

import (
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// Options tune an [Evaluator]. Nil and zero values mean the defaults.
type Options struct {
	// Deadline is how long one evaluation may take. Default 20 ms, at most
	// 50 ms, so that an evaluation never takes more than 100 ms: what is under way
	// when the deadline passes ends before it is heeded, and an expression that
	// ran into it on a small event gets a second try, since on a busy machine it may
	// not have been its own fault. Once the slow ones among the conditions of an event
	// (more than a sixteenth of the deadline) have taken five deadlines together,
	// those that are left have an eighth of it each, twice at most, so that they
	// are not held up.
	Deadline time.Duration

	// MaxSource is the largest size of a condition in bytes. Default 4096, the
	// most that a callback may have (webhook.MaxExpression).
	MaxSource int
	// MaxDepth is how deep brackets, and the parts of an expression, may be
	// nested. Default 32.
	MaxDepth int
	// MaxNodes is how many parts (names, literals, operators, calls) an
	// expression may have. Default 1000.
	MaxNodes int
	// MaxPattern is the largest size of a regular expression, in instructions of
	// Go's engine; counted repetition is written out in these. Default 1000.
	MaxPattern int
	// MaxMemory bounds the bytes of text and lists that one evaluation makes.
	// Default 16 MiB.
	MaxMemory int

	// Scripts switches the gate off: conditions are whole JavaScript programs,
	// with statements and functions, in which the last value counts. Each
	// evaluation has a fresh runtime, with the names that expressions see as
	// globals, the deadline, and a limit on recursion. Of the other limits only
	// MaxSource applies.
	//
	// Switch it on only for authors who could as well change the host's program.
	// The deadline is heeded between two instructions: a built-in that is asked
	// for too much can't be stopped. One call such as 'x'.repeat(2**32) ends the
	// process for lack of memory, and so can a loop that collects things; a
	// regular expression that backtracks, or Array.from({length: 2**32-1}), keeps
	// the goroutine for as long as it likes; deep recursion within built-ins
	// (JSON.parse, proxies) overflows Go's stack, which ends the process; and the
	// compiler takes exponential time for some sources.
	Scripts bool
}

func (o *Options) withDefaults() (*Options, error) {
	var set Options
	if o != nil {
		set = *o
	}
	if set.Deadline == 0 {
		set.Deadline = 20 * time.Millisecond
	}
	if set.Deadline < 0 || set.Deadline > maxDeadline {
		return nil, fmt.Errorf("condition: Options.Deadline is %v, at most %v is allowed", set.Deadline, maxDeadline)
	}
	for _, limit := range []struct {
		name              string
		value             *int
		byDefault, atMost int
	}{
		{"MaxSource", &set.MaxSource, webhook.MaxExpression, 1 << 16},
		{"MaxDepth", &set.MaxDepth, 32, 256},
		{"MaxNodes", &set.MaxNodes, 1000, 5000},
		{"MaxPattern", &set.MaxPattern, 1000, 10000},
		{"MaxMemory", &set.MaxMemory, 16 << 20, 64 << 20},
	} {
		if *limit.value == 0 {
			*limit.value = limit.byDefault
		}
		if *limit.value < 0 || *limit.value > limit.atMost {
			return nil, fmt.Errorf("condition: Options.%s is %d, use 1 to %d", limit.name, *limit.value, limit.atMost)
		}
	}
	return &set, nil
}

const maxDeadline = 50 * time.Millisecond

// An Evaluator compiles conditions and judges events by them. It is safe for
// concurrent use, holds no goroutine, and needs no closing.
type Evaluator struct {
	options *Options
	cache   cache
	pool    pool
}

// New returns an Evaluator that is warm: its first runtime is built. An error means
// that an option is out of its range.
func New(o *Options) (*Evaluator, error) {
	set, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ev := &Evaluator{options: set}
	ev.pool.put(newRealm())
	return ev, nil
}

// Compile passes a source through the gate and compiles it. A source that is empty
// or white space makes a condition that always matches. Conditions are cached by
// source: compiling one that is in use costs a look-up.
//
// The error is a *webhook.InvalidError for the field "expression", whose message
// says where the source is wrong and what to write instead.
func (ev *Evaluator) Compile(source string) (*Condition, error) {
	return ev.cache.get(source, func(source string) (*Condition, error) {
		if ev.options.Scripts {
			return compileScript(source, ev.options)
		}
		return compile(source, ev.options)
	})
}
