// Package powercut holds a test of what the SQLite store promises of a power cut. It
// has nothing to import.
//
// A child process works on a database as a real host does. A small library that is
// loaded before all others records, in order, everything SQLite does to the database,
// its log and its journal, every time it waits for the disk, and what was acknowledged
// to anybody; the store tells of its own waits for the disk. From the record the test
// works out, for many moments, what a disk may hold if the power fails just then: all
// that was synced, and of the rest nothing, everything, or some sectors of some writes.
// It opens each such database and compares it with what had been acknowledged.
//
//	go test ./reliability/powercut                        # 150 moments
//	go test -timeout 1h ./reliability/powercut -full      # 10,000 moments, some minutes
//
// With -artifacts the files of a database that was found to be wrong are kept, as the
// power cut left them.
//
// A disk is taken to keep its word when it says that it has synced, and a write to
// leave the bytes beside it alone; both are what SQLite asks for. Names of files are
// sure after a sync of the directory only. Permissions and times are left out.
//
// The test needs Linux on a 64-bit machine, and a C compiler.
package powercut
