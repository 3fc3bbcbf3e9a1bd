package condition

import (
	linked "container/list"
	"sync"
)

// cacheSize bounds the memory that compiled conditions take together, in bytes.
const cacheSize = 16 << 20

// A cache keeps the conditions that were used last, by their source.
type cache struct {
	mu      sync.Mutex
	entries map[string]*linked.Element // of *entry
	recent  linked.List                // the most recent first
	size    int
}

type entry struct {
	source    string
	compile   sync.Once
	condition *Condition
	err       error
	cost      int // 0 until it is compiled; guarded by cache.mu
}

// get returns the condition of a source. Of those who ask for it at the same time
// one compiles.
func (c *cache) get(source string, compile func(string) (*Condition, error)) (*Condition, error) {
	c.mu.Lock()
	if c.entries == nil {
		c.entries = make(map[string]*linked.Element)
	}
	element, ok := c.entries[source]
	if ok {
		c.recent.MoveToFront(element)
	} else {
		element = c.recent.PushFront(&entry{source: source})
		c.entries[source] = element
	}
	c.mu.Unlock()

	e := element.Value.(*entry)
	e.compile.Do(func() {
		e.condition, e.err = compile(source)
		c.settle(element, e)
	})
	return e.condition, e.err
}

// settle counts what was compiled and makes room for it. Errors aren't kept: they
// would let refused sources drive out those in use.
func (c *cache) settle(element *linked.Element, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err != nil {
		c.remove(element)
		return
	}
	e.cost = e.condition.cost
	c.size += e.cost
	for last := c.recent.Back(); c.size > cacheSize && last != nil; {
		previous := last.Prev()
		if old := last.Value.(*entry); last != element && old.cost > 0 {
			c.size -= old.cost
			c.remove(last)
		}
		last = previous
	}
}

func (c *cache) remove(element *linked.Element) {
	c.recent.Remove(element)
	delete(c.entries, element.Value.(*entry).source)
}
