package condition

import (
	"runtime"
	"sync"
)

// A pool keeps realms that are not in use: building one takes hundreds of times
// as long as an evaluation.
type pool struct {
	mu   sync.Mutex
	idle []*realm
}

// mostIdle returns how many realms are kept: as many as can be at work at a time.
func mostIdle() int { return max(2, runtime.GOMAXPROCS(0)) }

// take returns the realm that was used last, or a new one.
func (p *pool) take() *realm {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		r := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return r
	}
	p.mu.Unlock()
	return newRealm()
}

// put gives a realm back. When enough are idle it is dropped.
func (p *pool) put(r *realm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < mostIdle() {
		p.idle = append(p.idle, r)
	}
}
