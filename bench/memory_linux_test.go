package main

import (
	"bytes"
	"runtime"
	"testing"
)

// A peak is a measurement's own: what was there before is forgotten.
func TestPeak(t *testing.T) {
	peak := func(size int) float64 {
		m := startMeter()
		b := bytes.Repeat([]byte{1}, size)
		m.stop()
		runtime.KeepAlive(b)
		return m.peak
	}
	before, large, after := peak(0), peak(100<<20), peak(0)
	if before == 0 || large < before+90 || after > large-90 {
		t.Errorf("%.0f MB, with 100 MB more %.0f, and then %.0f", before, large, after)
	}
}
