package main_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// TestCrash kills the process in the middle of a stream of updates, again and again,
// and starts it anew on the same file. Every update that was committed arrives, in
// the order of its record, with the same bytes however often it comes.
func TestCrash(t *testing.T) {
	t.Parallel() // most of it is waiting for the dead process to be given up
	const records, crashes, between = 4, 2, 60
	r := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file, "-retry-base", "50ms")
	p.listen("/database/788", r, "/", "")
	l := newLedger()
	acknowledged := map[string]int{}
	for range records {
		acknowledged[p.create("/database/788/profiles", `{"fields":{"n":0}}`)] = 0
	}

	for range crashes {
		type progress struct {
			id string
			n  int
		}
		stopped := make(chan progress, records)
		for id, n := range acknowledged {
			go func() { stopped <- progress{id, countUntilCrash(p, id, n)} }()
		}
		for until := l.times + between; l.times < until; {
			l.add(t, r.next(t))
		}
		p.kill()
		for range records {
			s := <-stopped
			acknowledged[s.id] = s.n
		}

		restarted := time.Now()
		p = start(t, file, "-retry-base", "50ms")
		for id, n := range acknowledged {
			// The update in flight may have been committed, though nobody was told.
			committed := counter(t, p, id)
			if committed != n && committed != n+1 {
				t.Errorf("profile %s: %d updates were acknowledged, %d are in the file", id, n, committed)
			}
			acknowledged[id] = committed
			for l.last(id) < committed {
				l.add(t, r.next(t))
			}
		}
		if took := time.Since(restarted); took > 15*time.Second {
			t.Errorf("it took %v to go on, and to catch up", took)
		}
	}
	p.stop()
	for len(r.messages) > 0 {
		l.add(t, r.next(t))
	}
	for id, n := range acknowledged {
		l.check(t, id, n)
	}
}

// countUntilCrash counts the field n of a profile on until the process is gone, and
// returns the last n that was acknowledged.
func countUntilCrash(p *process, id string, n int) int {
	for {
		a, err := p.try("PUT", "/profile/"+id, fmt.Sprintf(`{"fields":{"n":%d}}`, n+1))
		if err != nil || a.status != 200 {
			return n
		}
		n++
	}
}

// counter returns the field n of a profile.
func counter(t *testing.T, p *process, id string) int {
	t.Helper()
	fields := p.must(200, "GET", "/profile/"+id, "")["fields"].(map[string]any)
	n, err := strconv.Atoi(fmt.Sprint(fields["n"]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
