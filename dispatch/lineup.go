package dispatch

// A lineup is a queue of receivers that take turns. It is linked through them: each is in one
// at a time, and can leave it.
type lineup struct{ first, last *receiver }

func (l *lineup) push(r *receiver) {
	r.lined, r.before, r.behind = l, l.last, nil
	if l.last == nil {
		l.first = r
	} else {
		l.last.behind = r
	}
	l.last = r
}

// pop returns nil when the lineup is empty.
func (l *lineup) pop() *receiver {
	r := l.first
	if r != nil {
		l.remove(r)
	}
	return r
}

func (l *lineup) remove(r *receiver) {
	if r.before == nil {
		l.first = r.behind
	} else {
		r.before.behind = r.behind
	}
	if r.behind == nil {
		l.last = r.before
	} else {
		r.behind.before = r.before
	}
	r.lined, r.before, r.behind = nil, nil, nil
}
