package dispatch

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// staleAfter is for how long a delivery may wait in hand. When this process was stopped
// meanwhile, others may have declared its worker dead and deliver it.
const staleAfter = deadAfter / 2

// A job is a delivery in hand, from its claim to its settlement.
type job struct {
	*webhook.Claimed
	worker webhook.Worker // in whose name it is claimed
	pool   *pool
	since  time.Time // it was claimed
	result result    // of the attempt
	pauses bool      // the callback, by that
}

// start starts the attempts of deliveries that have a slot, and of those that wait for one.
func (r *run) start(jobs []*job) {
	for _, j := range jobs {
		if r.ctx.Err() != nil {
			r.unsent(j)
			continue
		}
		r.attempts.Go(func() {
			r.send(j)
			r.startWaiting() // what was claimed since its answer may wait for its slot
		})
	}
	r.startWaiting()
}

// startWaiting starts what waits, as far as slots are free.
func (r *run) startWaiting() {
	for r.ctx.Err() == nil {
		j := r.slots.next()
		if j == nil {
			return
		}
		select {
		case r.senders <- j:
			continue
		default:
		}
		if int(r.sending.Add(1)) <= r.slots.answering.requests {
			r.attempts.Go(func() { r.sendAll(j) })
			continue
		}
		r.sending.Add(-1)
		select {
		case r.senders <- j: // one is about to be idle
		case <-r.ctx.Done():
			r.unsent(j)
		}
	}
}

// sendAll sends one delivery after the other until the run is to end: a goroutine that has
// grown its stack is used again.
func (r *run) sendAll(j *job) {
	for {
		for ; j != nil; j = r.slots.next() {
			r.startWaiting() // the receiver may take more by now
			r.send(j)
			if r.ctx.Err() != nil {
				return
			}
		}
		select {
		case j = <-r.senders:
		case <-r.ctx.Done():
			return
		}
	}
}

// send makes the attempt of a delivery and passes on what became of it.
func (r *run) send(j *job) {
	if time.Since(j.since) > staleAfter {
		r.unsent(j)
		return
	}
	j.result = r.engine.attempt(r.outliving, j.Claimed)
	o := r.judge(j.Claimed, &j.result)
	if !o.Pause.IsZero() {
		r.retries.set(o.Pause)
	}
	surplus := r.slots.note(j, &j.result.Attempt, o.Pause)
	r.outcomes <- outcome{job: j, Outcome: o}
	for _, j := range surplus {
		r.giveBack(j)
	}
	r.slots.land(j) // last: while nothing is settled, nothing more is sent
}

// unsent gives back a delivery that has a slot already.
func (r *run) unsent(j *job) {
	r.giveBack(j)
	r.slots.land(j)
}

// giveBackWaiting gives back what waits for a slot.
func (r *run) giveBackWaiting() {
	for _, j := range r.slots.drain() {
		r.giveBack(j)
	}
}

// giveBack gives a delivery back to the store, as it was.
func (r *run) giveBack(j *job) {
	r.outcomes <- outcome{job: j, Outcome: webhook.Outcome{
		Sequence: j.Sequence, Callback: j.Callback, State: webhook.DeliveryReady, Due: j.Due,
	}}
}
