//go:build race

package dispatch_test

// procs is how many processors a bubble has. To the race detector all timers of a bubble are
// one goroutine: where two run at once, as they may on two processors, it crashes itself or
// reports races that are none.
const procs = 1
