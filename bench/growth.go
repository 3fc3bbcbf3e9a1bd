package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Sizes are how large things grow.
type sizes struct {
	callbacks  int   // of other databases, in the registry
	backlog    int   // deliveries that wait for receivers that fail
	conditions []int // callbacks of the event's own database
	rounds     int
	seconds    float64 // of each
}

var largeSizes = sizes{
	callbacks: 100_000, backlog: 1_000_000, conditions: []int{1, 100, 1000, 10_000}, rounds: 5, seconds: 1,
}

// growth prints how the cost of a delivery grows with what else is in the store, and the
// cost of an event with the callbacks of its database.
func (b *bench) growth(ctx context.Context, s sizes) error {
	err := b.beside(ctx, s, fmt.Sprintf("registry-%d", s.callbacks), func(p *product) error {
		return p.addCallbacks(ctx, s.callbacks)
	})
	if err != nil {
		return err
	}
	err = b.beside(ctx, s, fmt.Sprintf("backlog-%d", s.backlog), func(p *product) error {
		return p.addBacklog(ctx, s.backlog)
	})
	if err != nil {
		return err
	}
	return b.conditions(ctx, s)
}

// beside compares deliveries from a full store with the same from an empty one, which run
// before and after each time.
func (b *bench) beside(ctx context.Context, s sizes, name string, fill func(*product) error) error {
	empty, err := b.newPatient(ctx, 1, s.seconds)
	if err != nil {
		return err
	}
	defer empty.close()
	full, err := b.newPatient(ctx, 1, s.seconds)
	if err != nil {
		return err
	}
	defer full.close()
	if err := fill(full.product); err != nil {
		return err
	}
	for _, p := range []*patient{empty, full} { // to know the sizes
		if _, err := p.deliver(ctx); err != nil {
			return err
		}
	}
	before, err := empty.deliver(ctx)
	if err != nil {
		return err
	}
	var costs, cpus []float64
	for range s.rounds {
		f, err := full.deliver(ctx)
		if err != nil {
			return err
		}
		after, err := empty.deliver(ctx)
		if err != nil {
			return err
		}
		costs = append(costs, (before.perSecond+after.perSecond)/2/f.perSecond)
		cpus = append(cpus, f.cpu/((before.cpu+after.cpu)/2))
		fmt.Fprintf(b.out, "%s: %.0f per second, %.1f µs of CPU each, after a start of %v; empty: %.0f, %.1f, %v\n",
			name, f.perSecond, f.cpu, full.starting, after.perSecond, after.cpu, empty.starting)
		before = after
	}
	fmt.Fprintf(b.out, "GROWTH name=%s cost=%.2f cpu=%.2f\n", name, median(costs), median(cpus))
	return nil
}

// conditions measures events of a database with more and more callbacks, each with a
// condition, of which one matches.
func (b *bench) conditions(ctx context.Context, s sizes) error {
	var least float64
	for i, callbacks := range s.conditions {
		f, err := b.among(ctx, s, callbacks)
		if err != nil {
			return err
		}
		each := 1000 / f.perSecond
		if i == 0 {
			least = each
		}
		fmt.Fprintf(b.out, "GROWTH name=conditions-%d ms_per_event=%.3f cpu_ms_per_event=%.3f", callbacks, each, f.cpu/1000)
		if i > 0 {
			fmt.Fprintf(b.out, " us_per_callback=%.2f", (each-least)*1000/float64(callbacks-s.conditions[0]))
		}
		fmt.Fprintln(b.out)
	}
	return nil
}

// among measures deliveries to one of so many callbacks.
func (b *bench) among(ctx context.Context, s sizes, callbacks int) (figures, error) {
	p, err := b.newPatient(ctx, callbacks, s.seconds)
	if err != nil {
		return figures{}, err
	}
	defer p.close()
	if _, err := p.deliver(ctx); err != nil { // to know the size
		return figures{}, err
	}
	var list []figures
	for range s.rounds {
		f, err := p.deliver(ctx)
		if err != nil {
			return figures{}, err
		}
		list = append(list, f)
	}
	return medians(list), nil
}

// A patient is a product that delivers for several rounds, on one file.
type patient struct {
	*product
	bench   *bench
	dir     string
	seconds float64
	first   int // the next event's number
	n       int // how many the next round has

	starting time.Duration // how long the last round's engine took to deliver a first few
}

func (b *bench) newPatient(ctx context.Context, callbacks int, seconds float64) (*patient, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	r := &round{dir: dir, receiver: b.receiver}
	product, err := withSQLite(ctx, r)
	if err != nil {
		return nil, err
	}
	p := &patient{product: product, bench: b, dir: dir, seconds: seconds, n: 50}
	if err := p.register(ctx, r, callbacks); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *patient) close() {
	p.product.close()
	os.RemoveAll(p.dir)
}

// deliver runs a round of about the wanted length. The engine has read and compiled the
// callbacks, and knows the receiver, before it begins.
func (p *patient) deliver(ctx context.Context) (figures, error) {
	const warm = 50
	r := &round{first: p.first + warm, n: p.n, warm: warm, dir: p.dir}
	p.first += warm + p.n
	err := p.bench.check(ctx, r, func(ctx context.Context, r *round) error { return p.deliverBatches(ctx, r, 1) })
	if err != nil {
		return figures{}, err
	}
	p.starting = r.starting.Round(time.Millisecond)
	f := r.figures(r.n)
	p.n = max(int(f.perSecond*p.seconds), 50)
	return f, nil
}
