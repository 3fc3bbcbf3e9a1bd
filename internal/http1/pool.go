package http1

import (
	"sync"
	"time"
)

// A pool keeps idle connections. Nothing is read, written or closed while it is locked.
// It needs no goroutine: its timer runs only while there is something in it.
type pool struct {
	max, maxPerHost int
	timeout         time.Duration

	mu     sync.Mutex
	tops   map[origin]*conn // of each origin the newest, which leads to the older ones
	ends   conn             // of the ring of all: ends.newer is the oldest, ends.older the newest
	count  int
	timer  *time.Timer
	waking bool // the timer is running
}

func (p *pool) init(limit, perHost int, timeout time.Duration) {
	p.max, p.maxPerHost, p.timeout = limit, perHost, timeout
	p.tops = make(map[origin]*conn)
	p.ends.newer, p.ends.older = &p.ends, &p.ends
}

// take returns the newest connection to an origin, nil if there is none. It is no longer
// in the pool, and need not be alive.
func (p *pool) take(to origin) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.tops[to]
	if c != nil {
		p.remove(c)
	}
	return c
}

// put keeps a connection, for which another one may have to go.
func (p *pool) put(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	var surplus *conn
	perHost := 0
	for other := p.tops[c.origin]; other != nil; other = other.below {
		perHost, surplus = perHost+1, other
	}
	switch {
	case perHost >= p.maxPerHost: // surplus is the oldest of them
	case p.count >= p.max:
		surplus = p.ends.newer
	default:
		surplus = nil
	}
	if surplus != nil {
		p.remove(surplus)
	}
	p.add(c)
	p.mu.Unlock()
	if surplus != nil {
		surplus.close()
	}
}

func (p *pool) add(c *conn) {
	c.below = p.tops[c.origin]
	p.tops[c.origin] = c
	c.older, c.newer = p.ends.older, &p.ends
	c.older.newer, c.newer.older = c, c
	p.count++
	if !p.waking {
		p.wakeIn(p.timeout)
	}
}

func (p *pool) remove(c *conn) {
	if top := p.tops[c.origin]; top != c {
		for top.below != c {
			top = top.below
		}
		top.below = c.below
	} else if c.below != nil {
		p.tops[c.origin] = c.below
	} else {
		delete(p.tops, c.origin)
	}
	c.older.newer, c.newer.older = c.newer, c.older
	c.older, c.newer, c.below = nil, nil, nil
	p.count--
}

func (p *pool) wakeIn(d time.Duration) {
	p.waking = true
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.sweep)
	} else {
		p.timer.Reset(d)
	}
}

// sweep closes what has been idle for too long.
func (p *pool) sweep() {
	p.mu.Lock()
	expired := p.removeBefore(time.Now().Add(-p.timeout))
	p.waking = false
	if p.count > 0 {
		p.wakeIn(time.Until(p.ends.newer.since.Add(p.timeout)))
	}
	p.mu.Unlock()
	for _, c := range expired {
		c.close()
	}
}

// removeBefore removes what has been idle since then or longer.
func (p *pool) removeBefore(then time.Time) []*conn {
	var removed []*conn
	for c := p.ends.newer; c != &p.ends && !c.since.After(then); c = p.ends.newer {
		p.remove(c)
		removed = append(removed, c)
	}
	return removed
}

func (p *pool) closeAll() {
	p.mu.Lock()
	all := p.removeBefore(time.Now())
	if p.waking {
		p.timer.Stop()
		p.waking = false
	}
	p.mu.Unlock()
	for _, c := range all {
		c.close()
	}
}
