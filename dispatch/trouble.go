package dispatch

import "log/slog"

// A trouble logs a failure that may come again and again: the first time, each time
// the count has doubled, and when it is over. It is used by one goroutine.
type trouble struct {
	log      *slog.Logger
	doing    string
	failures int
}

// note takes notice of how an attempt at doing it ended.
func (t *trouble) note(err error) {
	switch {
	case err == nil && t.failures == 0:
	case err == nil:
		t.log.Info("dispatch: "+t.doing+" works again", "failures", t.failures)
		t.failures = 0
	default:
		t.failures++
		if t.failures&(t.failures-1) == 0 {
			t.log.Error("dispatch: "+t.doing+" failed", "error", err, "failures", t.failures)
		}
	}
}
