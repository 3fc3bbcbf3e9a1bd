// Package load holds tests only. They keep ringback busy: with writers beside it, with a
// backlog, with clocks that are wrong, with receivers that are dead or hostile, and with a
// database that was damaged.
//
//	go test ./reliability/load
//	go test ./reliability/load -full -timeout 60m    # at full size, on a quiet machine
//	go test ./reliability/load -run Hostile -hostile 1h -timeout 2h
//
// What a run has measured is logged: -v shows it. Some of the tests look into /proc, and
// are built on Linux alone.
package load
