package condition

import "github.com/ringback-dev/ringback/webhook"

// smallEvent is the size, in bytes, up to which hardly any condition takes as long as
// the deadline allows.
const smallEvent = 64 << 10

// small reports whether an event is at most that large. It looks no further than it
// has to.
func small(e *webhook.Event) bool {
	left := smallEvent
	records := []*webhook.Record{&e.Profile, e.Subprofile, e.Previous}
	for _, r := range records {
		if r == nil {
			continue
		}
		for _, interest := range r.Interests {
			if left -= 16 + len(interest); left < 0 {
				return false
			}
		}
		if left = weigh(r.Fields, left); left < 0 {
			return false
		}
	}
	return true
}

// weigh subtracts the size of a value from what is left, until nothing is.
func weigh(value any, left int) int {
	const each = 16
	left -= each
	switch v := value.(type) {
	case string:
		return left - len(v)
	case []any:
		for _, item := range v {
			if left = weigh(item, left); left < 0 {
				return left
			}
		}
	case map[string]any:
		for name, item := range v {
			if left = weigh(item, left-len(name)); left < 0 {
				return left
			}
		}
	}
	return left
}
