// Package crash holds tests only. They kill, stop and starve real processes that run
// ringback, and compare what receivers got with what was committed.
//
//	go test ./reliability/crash
//	go test ./reliability/crash -full -timeout 40m    # 1,000 kills, 100,000 rollbacks
//
// A run prints its seed, which -seed takes: the same seed makes the same choices, though
// not at the same moments.
package crash
