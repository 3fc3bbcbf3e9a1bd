package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// dead is where nobody listens.
	dead = "http://127.0.0.1:1/"

	// deadReceivers share the backlog, and each has so many records: the first delivery
	// about a record is to be tried again, the others wait for it.
	deadReceivers = 100
	deadRecords   = 1000
)

// addCallbacks registers callbacks, a hundred for each of as many databases as it takes.
func (p *product) addCallbacks(ctx context.Context, n int) error {
	return produce(ctx, 0, n, 1, func(ctx context.Context, number, _ int) error {
		c := webhook.Callback{
			Database: fmt.Sprint("other-", number/100), URL: dead, Expression: "company == 'Apple'",
		}
		_, err := p.store.CreateCallback(ctx, c.WithDefaults(), 0)
		return err
	})
}

// addBacklog writes deliveries for receivers that have failed: they are due from an hour
// on, so that nothing is sent while others are measured.
func (p *product) addBacklog(ctx context.Context, n int) error {
	var targets []webhook.Target
	for range min(deadReceivers, n) {
		c, err := p.store.CreateCallback(ctx, webhook.Callback{Database: "dead", URL: dead}.WithDefaults(), 0)
		if err != nil {
			return err
		}
		targets = append(targets, webhook.Target{Callback: c.ID, Method: c.Method, Encoding: c.Encoding})
	}
	const page = 100
	for from, after := 0, int64(0); from < n/len(targets); from += page {
		list := events(from, min(from+page, n/len(targets)))
		for i := range list {
			list[i].ID, list[i].Database = "dead-"+list[i].ID, "dead"
			list[i].Profile.ID = fmt.Sprint((from + i) % deadRecords)
		}
		if err := p.store.Dispatch(ctx, list...); err != nil {
			return err
		}
		pending, err := p.store.Pending(ctx, webhook.PendingRequest{After: after, Limit: page, LimitBytes: 1 << 30})
		if err != nil {
			return err
		}
		var expansions []webhook.Expansion
		for i, e := range pending.Events {
			after = e.Sequence
			expansions = append(expansions, webhook.Expansion{
				Sequence: e.Sequence, Targets: targets,
				Messages: webhook.Messages{JSON: message(from + i)},
			})
		}
		if err := p.store.FanOut(ctx, expansions); err != nil {
			return err
		}
	}
	return p.failAll(ctx)
}

// failAll records a failed attempt of everything that is due.
func (p *product) failAll(ctx context.Context) error {
	worker, err := p.store.Join(ctx)
	if err != nil {
		return err
	}
	for after := ""; ; {
		now := time.Now()
		claimed, err := p.store.Claim(ctx, webhook.ClaimRequest{
			Worker: worker, Now: now, Limit: deadRecords, LimitBytes: 1 << 30, After: after,
		})
		if err != nil {
			return err
		}
		if len(claimed) == 0 {
			return p.store.Leave(ctx, worker)
		}
		after = claimed[len(claimed)-1].Callback
		var outcomes []webhook.Outcome
		for i, d := range claimed {
			outcomes = append(outcomes, webhook.Outcome{
				Sequence: d.Sequence, Callback: d.Callback, State: webhook.DeliveryReady,
				Due: now.Add(time.Hour + time.Duration(i)*time.Second),
				Attempt: &webhook.Attempt{
					Number: d.Attempts + 1, Time: now, Duration: time.Millisecond, Error: "connection refused",
				},
			})
		}
		if _, err := p.store.Settle(ctx, worker, outcomes); err != nil {
			return err
		}
	}
}
