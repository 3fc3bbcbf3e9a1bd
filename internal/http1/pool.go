package http1

import (
	"sync"
	"time"
)

// A pool knows the connections and keeps those that are idle. Nothing is read, written or
// closed while it is locked. It needs no goroutine: its timer runs only while there is
// something idle.
type pool struct {
	max, maxPerHost int
	timeout         time.Duration

	mu     sync.Mutex
	hosts  map[origin]*host
	ends   conn // of the ring of all that are idle: ends.newer is the oldest, ends.older the newest
	count  int  // of those
	timer  *time.Timer
	waking bool // the timer is running
}

// A host is an origin to which there are connections.
type host struct {
	origin
	conns int  // idle or in use
	ends  conn // of the ring of those that are idle: ends.above is the oldest, ends.below the newest
	count int  // of those
}

func (p *pool) init(limit, perHost int, timeout time.Duration) {
	p.max, p.maxPerHost, p.timeout = limit, perHost, timeout
	p.hosts = make(map[origin]*host)
	p.ends.newer, p.ends.older = &p.ends, &p.ends
}

// add makes a new connection known. It is in use.
func (p *pool) add(c *conn, to origin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[to]
	if h == nil {
		h = &host{origin: to}
		h.ends.above, h.ends.below = &h.ends, &h.ends
		p.hosts[to] = h
	}
	h.conns++
	c.host = h
}

// drop forgets a connection that was in use.
func (p *pool) drop(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(c)
}

func (p *pool) forget(c *conn) {
	if c.host.conns--; c.host.conns == 0 {
		delete(p.hosts, c.host.origin)
	}
}

// take returns the newest idle connection to an origin, for use, and nil if there is
// none. It need not be alive.
func (p *pool) take(to origin) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[to]
	if h == nil || h.count == 0 {
		return nil
	}
	c := h.ends.below
	p.remove(c)
	return c
}

// put keeps a connection that was in use, for which another one may have to go.
func (p *pool) put(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	var surplus *conn
	switch {
	case c.host.count >= p.maxPerHost:
		surplus = c.host.ends.above
	case p.count >= p.max:
		surplus = p.ends.newer
	}
	if surplus != nil {
		p.remove(surplus)
		p.forget(surplus)
	}
	p.insert(c)
	p.mu.Unlock()
	if surplus != nil {
		surplus.close()
	}
}

func (p *pool) insert(c *conn) {
	h := c.host
	c.below, c.above = h.ends.below, &h.ends
	c.below.above, c.above.below = c, c
	h.count++
	c.older, c.newer = p.ends.older, &p.ends
	c.older.newer, c.newer.older = c, c
	p.count++
	if !p.waking {
		p.wakeIn(p.timeout)
	}
}

func (p *pool) remove(c *conn) {
	c.below.above, c.above.below = c.above, c.below
	c.host.count--
	c.older.newer, c.newer.older = c.newer, c.older
	p.count--
	c.below, c.above, c.older, c.newer = nil, nil, nil, nil
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

// removeBefore removes and forgets what has been idle since then or longer.
func (p *pool) removeBefore(then time.Time) []*conn {
	var removed []*conn
	for c := p.ends.newer; c != &p.ends && !c.since.After(then); c = p.ends.newer {
		p.remove(c)
		p.forget(c)
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
