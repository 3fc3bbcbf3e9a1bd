package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// errMissing: what a contender needs is not on this machine.
var errMissing = errors.New("missing")

// A contender delivers the given number of messages to the receiver.
type contender struct {
	name string
	// expected is about what ratio it reaches: it decides how many deliveries make a
	// round of the wanted length, and nothing else.
	expected float64
	// run delivers n messages. It calls begin when everything is set up and the first
	// event is about to be appended, and end when the last attempt is recorded.
	run func(ctx context.Context, r *round) error
}

// A round is one measurement of one contender.
type round struct {
	n        int
	dir      string // empty, for files
	receiver *receiver

	began, ended      time.Time
	cpuBegan, cpu     time.Duration
	allocsBegan       uint64
	allocs            uint64
	measuredOtherwise float64 // a ratio that is no share of the bare loop; 0 where there is none
}

func (r *round) begin() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.allocsBegan = m.Mallocs
	r.cpuBegan = processorTime()
	r.began = time.Now()
}

func (r *round) end() {
	r.ended = time.Now()
	r.cpu = processorTime() - r.cpuBegan
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.allocs = m.Mallocs - r.allocsBegan
}

func (r *round) rate() float64 { return float64(r.n) / r.ended.Sub(r.began).Seconds() }

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A result is the median of a contender's rounds.
type result struct {
	name                          string
	ratio, perSecond, cpu, allocs float64
}

func (r result) String() string {
	return fmt.Sprintf("RESULT name=%s ratio=%.3f per_second=%.0f cpu_us_per_delivery=%.1f allocs_per_delivery=%.1f",
		r.name, r.ratio, r.perSecond, r.cpu, r.allocs)
}

// A bench measures contenders.
type bench struct {
	receiver *receiver
	scratch  string
	seconds  float64
	bareRate float64
	out      io.Writer
	rounds   int
}

// measure runs a contender several times, each between two runs of the bare loop.
func (b *bench) measure(ctx context.Context, c contender, rounds int) (result, error) {
	var ratios, rates, cpus, allocs []float64
	before, err := b.bare(ctx)
	if err != nil {
		return result{}, err
	}
	for range rounds {
		r, err := b.once(ctx, c)
		if err != nil {
			return result{}, err
		}
		after, err := b.bare(ctx)
		if err != nil {
			return result{}, err
		}
		ratio := r.rate() / ((before + after) / 2)
		if r.measuredOtherwise > 0 {
			ratio = r.measuredOtherwise
		}
		before = after
		ratios = append(ratios, ratio)
		rates = append(rates, r.rate())
		cpus = append(cpus, float64(r.cpu.Microseconds())/float64(r.n))
		allocs = append(allocs, float64(r.allocs)/float64(r.n))
		fmt.Fprintf(b.out, "%s: %d in %v, ratio %.3f\n", c.name, r.n, r.ended.Sub(r.began).Round(time.Millisecond), ratio)
	}
	return result{c.name, median(ratios), median(rates), median(cpus), median(allocs)}, nil
}

// once runs a contender and checks that everything has arrived once.
func (b *bench) once(ctx context.Context, c contender) (*round, error) {
	b.rounds++
	r := &round{
		n:        max(int(b.bareRate*c.expected*b.seconds), 200),
		dir:      filepath.Join(b.scratch, fmt.Sprint(b.rounds)),
		receiver: b.receiver,
	}
	if err := os.Mkdir(r.dir, 0o777); err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.dir)
	if err := b.receiver.reset(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := c.run(ctx, r); err != nil {
		return nil, err
	}
	return r, b.receiver.check(ctx, r.n)
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// startProfile profiles this process into a file, if there is one.
func startProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
