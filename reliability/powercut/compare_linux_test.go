package powercut_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// What can be wrong after a power cut.
const (
	damaged  = "damaged"  // the database is not whole
	lost     = "lost"     // something acknowledged is not there
	apart    = "apart"    // a change is there without its event, or the other way round
	invented = "invented" // something is there that cannot be
)

// A finding is something that is wrong.
type finding struct{ kind, what string }

func (f finding) String() string { return f.kind + ": " + f.what }

// A comparison is one of a database with what was said before the power was cut.
type comparison struct {
	*history
	contents
	findings []finding
}

// compare opens the database in a directory and says what is wrong.
func compare(ctx context.Context, dir string, said *history) *comparison {
	found, err := readContents(ctx, dir)
	c := &comparison{history: said, contents: found}
	if err != nil {
		c.find(damaged, "%v", err)
		return c
	}
	c.compareAcknowledged()
	c.compareLedger()
	c.compareEvents()
	c.compareReceived()
	c.compareCallbacks()
	return c
}

func (c *comparison) find(kind, format string, args ...any) {
	c.findings = append(c.findings, finding{kind, fmt.Sprintf(format, args...)})
}

// missing returns for which callback, if any, an event is gone. It is there while it waits
// in the outbox, has a delivery, or was delivered: then it may have been pruned.
func (c *comparison) missing(event string) (callback string) {
	e := c.events[event]
	if e != nil && e.pending {
		return ""
	}
	for _, callback := range c.permanent {
		if e != nil {
			if _, ok := e.deliveries[callback]; ok {
				continue
			}
		}
		if !c.delivered(event, callback) {
			return callback
		}
	}
	return ""
}

func (c *comparison) compareAcknowledged() {
	for event := range c.committed {
		if strings.HasPrefix(event, hostPrefix) && !c.ledger[event] {
			c.find(lost, "the change of %s was committed", event)
		}
		if callback := c.missing(event); callback != "" {
			c.find(lost, "%s was committed and is gone for callback %s", event, callback)
		}
	}
}

func (c *comparison) compareLedger() {
	for event := range c.ledger {
		if !c.begun[event] {
			c.find(invented, "the ledger holds %s", event)
		}
		if callback := c.missing(event); callback != "" {
			c.find(apart, "the change of %s has no event for callback %s", event, callback)
		}
	}
}

func (c *comparison) compareEvents() {
	for id, e := range c.events {
		if !c.begun[id] {
			c.find(invented, "there is an event %s", id)
		}
		if strings.HasPrefix(id, hostPrefix) && !c.ledger[id] {
			c.find(apart, "event %s has no change", id)
		}
		if e.pending && len(e.deliveries) > 0 {
			c.find(damaged, "event %s is in the outbox and has %d deliveries", id, len(e.deliveries))
		}
		if callback := c.missing(id); callback != "" {
			c.find(damaged, "event %s was fanned out without callback %s", id, callback)
		}
		for callback, d := range e.deliveries {
			received := c.received[webhook.DeliveryID(id, callback)]
			if d.delivered && !succeeded(received) {
				c.find(invented, "the delivery of %s to callback %s was not received", id, callback)
			}
			if d.answered > len(received) {
				c.find(invented, "%s has %d answers of callback %s, which received it %d times",
					id, d.answered, callback, len(received))
			}
		}
	}
}

// compareReceived checks that what was received has happened, and still has.
func (c *comparison) compareReceived() {
	for delivery := range c.received {
		event, _, _ := webhook.SplitDeliveryID(delivery)
		if !c.begun[event] {
			c.find(invented, "%s was received", delivery)
		}
		if strings.HasPrefix(event, hostPrefix) && !c.ledger[event] {
			c.find(invented, "%s was received, and its change is not there", delivery)
		}
		if callback := c.missing(event); callback != "" {
			c.find(lost, "%s was received, and its event is gone for callback %s", delivery, callback)
		}
	}
}

func (c *comparison) compareCallbacks() {
	for callback, want := range c.callbacks {
		if c.registered[callback] != want {
			c.find(lost, "callback %s: registered is %t, want %t", callback, !want, want)
		}
	}
}
