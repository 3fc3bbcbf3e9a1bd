//go:build !race

package dispatch_test

// procs is how many processors a bubble has, 0 for all.
const procs = 0
