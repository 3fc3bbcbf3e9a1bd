package main

import (
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// A meter measures what this process uses.
type meter struct {
	began     time.Time
	took, cpu time.Duration
	allocs    uint64
	peak      float64 // of the memory, in megabytes; 0 when unknown
	peakKnown bool
}

// awaitIdle returns when this process has had next to nothing to do for a while, or after
// ten seconds.
func awaitIdle() {
	const look = 50 * time.Millisecond
	calm := 0 // looks in a row; while it waits for the disk it is not at rest
	for began := time.Now(); calm < 5 && time.Since(began) < 10*time.Second; calm++ {
		before := processorTime()
		time.Sleep(look)
		if processorTime()-before > look/10 {
			calm = -1
		}
	}
}

// startMeter collects garbage first and gives the memory back to the system, so that each
// measurement begins alike and nobody pays for another's.
func startMeter() *meter {
	debug.FreeOSMemory()
	m := &meter{peakKnown: forgetPeak()}
	m.resume()
	return m
}

// resume goes on after a stop: what lies between does not count.
func (m *meter) resume() {
	m.cpu -= processorTime()
	m.allocs -= allocations()
	m.began = time.Now()
}

func (m *meter) stop() {
	m.took += time.Since(m.began)
	m.cpu += processorTime()
	m.allocs += allocations()
	if m.peakKnown {
		m.peak, _ = memoryOf("self", "VmHWM")
	}
}

// figures shares the use out to n.
func (m *meter) figures(n int) figures {
	return figures{
		perSecond: float64(n) / m.took.Seconds(),
		cpu:       float64(m.cpu.Nanoseconds()) / 1000 / float64(n),
		allocs:    float64(m.allocs) / float64(n),
		peak:      m.peak,
	}
}

// Figures are what a measurement has come to.
type figures struct {
	perSecond   float64
	cpu, allocs float64 // of this process, for each delivery: microseconds, and a number
	peak        float64 // of its memory, in megabytes; 0 when unknown
}

// medians returns the median of each figure.
func medians(list []figures) figures {
	of := func(figure func(figures) float64) float64 {
		values := make([]float64, len(list))
		for i, f := range list {
			values[i] = figure(f)
		}
		return median(values)
	}
	return figures{
		perSecond: of(func(f figures) float64 { return f.perSecond }),
		cpu:       of(func(f figures) float64 { return f.cpu }),
		allocs:    of(func(f figures) float64 { return f.allocs }),
		peak:      of(func(f figures) float64 { return f.peak }),
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allocations is how many this process has made.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
