package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// errMissing: what a contender needs is not on this machine.
var errMissing = errors.New("missing")

// A contender delivers the given number of messages to the receiver.
type contender struct {
	name string
	// expected is about what ratio it reaches: it decides how many deliveries the first
	// round has, and nothing else.
	expected float64
	// share is how long its rounds are, as a part of the wanted length.
	share float64
	// run delivers the messages of a round. It calls begin when everything is set up and
	// the first event is about to be appended, and end when the last attempt is recorded.
	run func(ctx context.Context, r *round) error
	// server starts what all its rounds use, with files in dir; nil where nothing is
	// needed.
	server func(ctx context.Context, dir string) (*postgres, error)
}

// A round is one measurement of one contender: of the messages whose numbers begin with
// first. As many as warm says come before them, and do not count.
type round struct {
	first, n, warm int
	dir            string // empty, for files
	receiver       *receiver
	server         *postgres

	*meter
	starting          time.Duration // how long those that come before took
	measuredOtherwise float64       // a ratio that is no share of the bare loop; 0 where there is none
	note              string        // what else there is to say
}

func (r *round) begin() { r.meter = startMeter() }

func (r *round) end() { r.meter.stop() }

// A bench measures contenders.
type bench struct {
	receiver *receiver
	scratch  string
	seconds  float64
	out      io.Writer
	dirs     int

	before figures   // what the bare loop came to the last time
	bares  []figures // all that it came to

	bareTime, contenderTime time.Duration
}

// newBench returns a bench with its receiver and its directory for files.
func newBench(ctx context.Context, seconds float64, out io.Writer) (*bench, error) {
	receiver, err := startReceiver(ctx)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "ringback-bench-")
	if err != nil {
		receiver.stop()
		return nil, err
	}
	return &bench{receiver: receiver, scratch: scratch, seconds: seconds, out: out}, nil
}

func (b *bench) close() {
	b.receiver.stop()
	os.RemoveAll(b.scratch)
}

// measure runs a contender several times, each between two runs of the bare loop.
func (b *bench) measure(ctx context.Context, c contender, rounds int) (result, error) {
	var server *postgres
	if c.server != nil {
		dir, err := b.newDir()
		if err != nil {
			return result{}, err
		}
		defer os.RemoveAll(dir)
		if server, err = c.server(ctx, dir); err != nil {
			return result{}, err
		}
		defer server.stop()
	}
	var ratios []float64
	var list []figures
	length := b.seconds * c.share
	n := atLeast(b.before.perSecond * c.expected * length)
	for again := true; len(list) < rounds; {
		r, err := b.once(ctx, c, n, server)
		if err != nil {
			return result{}, err
		}
		n = atLeast(float64(n) * length / r.took.Seconds())
		if again && len(list) == 0 && r.took.Seconds() < length/2 {
			again = false // much faster than expected: that was too short to count
			continue
		}
		f := r.figures(r.n)
		before := b.before
		if err := b.bracket(ctx); err != nil {
			return result{}, err
		}
		ratio := f.perSecond / ((before.perSecond + b.before.perSecond) / 2)
		if r.measuredOtherwise > 0 {
			ratio = r.measuredOtherwise
		}
		ratios = append(ratios, ratio)
		list = append(list, f)
		fmt.Fprintf(b.out, "%s: %d in %v, ratio %.3f%s\n", c.name, r.n, r.took.Round(time.Millisecond), ratio, r.note)
	}
	return result{c.name, median(ratios), medians(list)}, nil
}

// bracket runs the bare loop.
func (b *bench) bracket(ctx context.Context) (err error) {
	if b.before, err = b.bare(ctx); err == nil {
		b.bares = append(b.bares, b.before)
	}
	return err
}

// atLeast returns how many messages a round has: fewer than this say nothing.
func atLeast(n float64) int { return max(int(n), 200) }

// once runs a contender and checks that everything has arrived once.
func (b *bench) once(ctx context.Context, c contender, n int, server *postgres) (*round, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &round{n: n, dir: dir, server: server}
	return r, b.check(ctx, r, c.run)
}

// check runs a round and checks that everything has arrived once.
func (b *bench) check(ctx context.Context, r *round, run func(context.Context, *round) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	r.receiver = b.receiver
	if err := b.receiver.reset(ctx); err != nil {
		return err
	}
	if err := run(ctx, r); err != nil {
		return err
	}
	b.contenderTime += r.took
	return b.receiver.check(ctx, r.warm+r.n)
}

// newDir returns a new directory for files.
func (b *bench) newDir() (string, error) {
	b.dirs++
	dir := filepath.Join(b.scratch, fmt.Sprint(b.dirs))
	return dir, os.Mkdir(dir, 0o777)
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
