package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// pollInterval is how often the loops look for work unasked: for what has
	// become due, and what another engine handed back.
	pollInterval = time.Second

	// firstPause and longestPause bound the waits after a failure of the store,
	// which double in between.
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
)

// A run is one call of Run: its worker, its loops and what they have in hand.
type run struct {
	engine *Engine
	store  webhook.Store
	log    *slog.Logger
	ctx    context.Context // of Run: what outlasts the loop that begins it looks here
	// outliving is ctx without its end: requests in flight outlive it, which is what
	// draining means.
	outliving context.Context

	appended  signal // events may be pending
	ready     signal // deliveries are ready, or there is room for more of them
	stirred   signal // something has happened in the store: deliveries may be ready
	retries   alarm  // rings ready when one is due
	prunes    signal // there is much to prune
	changed   signal // callbacks are, and deliveries to them may wait in hand
	clock     *clock
	slots     *slots
	outcomes  chan outcome
	slow      suspensions
	listeners *listenerCache
	appends   *appendQueue
	pending   atomic.Int64 // times that appendLoop has appended events since the outbox was empty
	emptied   signal       // the outbox
	direct    atomic.Bool  // appendLoop takes what is appended
	attempts  sync.WaitGroup
	senders   chan *job      // to one that is idle
	sending   atomic.Int64   // senders
	hooks     sync.WaitGroup // calls of the host's
	identity  identity
}

// Run delivers until ctx ends. Then it lets the requests in flight come to their end,
// which takes at most Options.Timeout, records what they came to, hands everything
// else it had claimed back to the store, and returns nil, with no goroutine left.
//
// Failures of the store are logged and outlasted. The only error is that the engine
// is running already.
func (e *Engine) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("dispatch: the engine is running already")
	}
	defer e.running.Store(false)
	defer e.closeIdle()
	r := &run{
		engine:    e,
		store:     e.store,
		log:       e.options.Logger,
		ctx:       ctx,
		outliving: context.WithoutCancel(ctx),
		appended:  newSignal(),
		emptied:   newSignal(),
		ready:     newSignal(),
		stirred:   newSignal(),
		prunes:    newSignal(),
		changed:   newSignal(),
		clock:     newClock(e.wall),
		slots:     newSlots(&e.options),
		outcomes:  make(chan outcome, settleBatch),
		senders:   make(chan *job),
		listeners: newListenerCache(e.store, e.evaluator, e.options.Logger),
		appends:   newAppendQueue(),
		identity: identity{
			joining:  make(chan struct{}, 1),
			claiming: make(map[webhook.Worker]int),
			inHand:   make(map[webhook.Worker]int),
		},
	}
	r.retries.ring = r.ready
	defer r.retries.stop()
	if !r.join(ctx, 0) {
		return nil
	}
	r.appended.raise()
	r.ready.raise()

	// What is in flight when ctx ends still has time to be recorded, and the worker
	// is alive until it is.
	closing, closed := e.outlive(ctx)
	defer closed()
	var loops, settling, beating sync.WaitGroup
	settling.Go(func() { r.settleLoop(closing) })
	alive, stopBeating := context.WithCancel(closing)
	defer stopBeating()
	beating.Go(func() { r.beatLoop(alive) })
	e.run.Store(r)
	defer e.run.Store(nil)
	for _, loop := range []func(context.Context){
		r.appendLoop, r.watchLoop, r.fanOutLoop, r.claimLoop, r.takeOverLoop, r.pruneLoop, r.replayLoop, r.clockLoop,
		r.renewLoop,
	} {
		loops.Go(func() { loop(ctx) })
	}
	loops.Wait()
	r.giveBackWaiting()
	r.attempts.Wait()
	close(r.outcomes)
	settling.Wait()
	stopBeating()
	beating.Wait()
	for w := range r.workers() {
		r.leave(closing, w)
	}
	r.hooks.Wait() // they may take until closing ends
	return nil
}

// outlive returns a context that ends a second after the last request that can be in
// flight when ctx ends.
func (e *Engine) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	closing, closed := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(e.options.Timeout+time.Second, closed)
		context.AfterFunc(closing, func() { timer.Stop() })
	})
	return closing, func() {
		stop()
		closed()
	}
}

// watchLoop passes the store's hints on.
func (r *run) watchLoop(ctx context.Context) {
	r.persist(ctx, "watching the store", func() error {
		return r.store.Watch(ctx, func() {
			r.appended.raise()
			r.stirred.raise()
		})
	})
}

// persist calls f until it succeeds or ctx ends, with growing pauses, and reports
// whether it succeeded.
func (r *run) persist(ctx context.Context, doing string, f func() error) bool {
	trouble := trouble{log: r.log, doing: doing}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := f()
		if err == nil || ctx.Err() == nil {
			trouble.note(err)
		}
		if err == nil {
			return true
		}
		if !sleep(ctx, pause) {
			return false
		}
	}
}

// sleep waits for d; it reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
