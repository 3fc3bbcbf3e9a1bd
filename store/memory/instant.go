package memory

import "time"

// An instant is a time as stores keep it: to the millisecond. It counts them from the
// zero time, which is the zero instant.
type instant int64

const minute = instant(time.Minute / time.Millisecond)

var zeroTime = time.Time{}.UnixMilli()

// at returns the instant of a time, which cuts off what lies between milliseconds.
func at(t time.Time) instant { return instant(t.UnixMilli() - zeroTime) }

func now() instant { return at(time.Now()) }

// time returns the time of an instant, in UTC.
func (i instant) time() time.Time { return time.UnixMilli(int64(i) + zeroTime).UTC() }

// millis cuts a time to what stores keep of it.
func millis(t time.Time) time.Time { return at(t).time() }
