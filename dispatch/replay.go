package dispatch

import (
	"context"
	"time"
)

const (
	// replayStep is how many deliveries one step replays, replayPause what lies between
	// two steps: writers come through.
	replayStep  = 100
	replayPause = 20 * time.Millisecond
)

// replayLoop does what replays were asked for. The requests are in the store, where any
// process may put them without a hint: so it is asked, at the start and then regularly.
func (r *run) replayLoop(ctx context.Context) {
	trouble := trouble{log: r.log, doing: "replaying"}
	pause := pollInterval
	for {
		err := r.replay(ctx)
		if ctx.Err() == nil {
			trouble.note(err)
		}
		if err == nil {
			pause = pollInterval
		} else {
			pause = min(2*pause, longestPause)
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// replay goes on with the replays that were asked for, to their end.
func (r *run) replay(ctx context.Context) error {
	for {
		more, err := r.store.ContinueReplays(ctx, replayStep)
		if err != nil {
			return err
		}
		if !more {
			return nil // what the last step made ready is watched
		}
		r.ready.raise()
		if !sleep(ctx, replayPause) {
			return nil
		}
	}
}
