package main

import "strings"

// writePathName is the contender whose ratio is not a share of the bare loop.
const writePathName = "write-path"

// contenders returns all of them.
func contenders() []contender {
	return []contender{
		{name: "memory-64", expected: 1.05, share: 1, run: throughEngine(withMemory, 1, 1)},
		{name: "sqlite-64", expected: 0.7, share: 1, run: throughEngine(withSQLite, 1, 1)},
		{name: "sqlite-batch", expected: 0.85, share: 1, run: throughEngine(withSQLite, 100, 1)},
		{name: "sqlite-hosttx", expected: 0.6, share: 1, run: inTransactions(100)},
		{name: "sqlite-10callbacks", expected: 0.7, share: 1, run: throughEngine(withSQLite, 1, 10)},
		{name: "sqlite-100callbacks", expected: 0.55, share: 1, run: throughEngine(withSQLite, 1, 100)},
		{name: writePathName, expected: 0.08, share: 1, run: writePath},
		{name: "river-sqlite", expected: 0.05, share: 0.5, run: riverSQLite},
		{name: "river-postgres", expected: 0.06, share: 0.5, run: riverPostgres, server: startPostgres},
		{name: "goqite", expected: 0.035, share: 0.5, run: goqiteSQLite},
	}
}

// ours reports whether a contender is ringback.
func ours(name string) bool { return !strings.HasPrefix(name, "river") && name != "goqite" }
