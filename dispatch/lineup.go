package dispatch

// A lineup is a queue of receivers that take turns.
type lineup struct {
	receivers []*receiver
	first     int
}

func (l *lineup) push(r *receiver) {
	if l.first > 0 && len(l.receivers) == cap(l.receivers) { // move up instead of growing
		n := copy(l.receivers, l.receivers[l.first:])
		clear(l.receivers[n:])
		l.receivers, l.first = l.receivers[:n], 0
	}
	l.receivers = append(l.receivers, r)
	r.lined = true
}

// pop returns nil when the lineup is empty.
func (l *lineup) pop() *receiver {
	if l.first == len(l.receivers) {
		return nil
	}
	r := l.receivers[l.first]
	l.receivers[l.first] = nil
	l.first++
	if l.first == len(l.receivers) {
		l.receivers, l.first = l.receivers[:0], 0
	}
	r.lined = false
	return r
}
