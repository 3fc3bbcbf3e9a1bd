//go:build unix

package crash_test

// A received is what a receiver got of one delivery.
type received struct {
	body  string
	times int
	taken int // answered with success
}

// readReceived reads what was written down, by webhook-id. It checks that each message
// tells of what was committed, that repetitions have the same bytes, and that the
// first ones come in the order of their record.
func readReceived(r *receiver, committed map[string]entry, subscriptions []subscription) map[string]*received {
	r.t.Helper()
	got := make(map[string]*received)
	paths := make(map[string]string) // by callback ID
	for _, s := range subscriptions {
		paths[s.ID] = s.path
	}
	type lane struct{ callback, record string }
	last := make(map[lane]int)
	r.each(func(p post) {
		event, callback := eventOf(r.t, p.ID)
		e, ok := committed[event]
		if !ok {
			r.t.Errorf("invented: %s was received by %s and never committed", p.ID, p.Path)
			return
		}
		if paths[callback] != p.Path {
			r.t.Errorf("%s was received by %s", p.ID, p.Path)
		}
		m := got[p.ID]
		if m == nil {
			m = &received{body: p.Body}
			got[p.ID] = m
			if record, n, err := p.content(); err != nil || record != e.record || n != e.n {
				r.t.Errorf("%s tells of update %d of %s, %v; committed was %d of %s", p.ID, n, record, err, e.n, e.record)
			}
			if before := last[lane{callback, e.record}]; e.n <= before {
				r.t.Errorf("inversion: %s got update %d of %s after update %d", p.Path, e.n, e.record, before)
			}
			last[lane{callback, e.record}] = e.n
		}
		if p.Body != m.body {
			r.t.Errorf("%s came with other bytes:\n%s\n%s", p.ID, m.body, p.Body)
		}
		m.times++
		if p.Status == 200 {
			m.taken++
		}
	})
	return got
}
