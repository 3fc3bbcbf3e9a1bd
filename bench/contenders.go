package main

import "strings"

// contenders returns all of them.
func contenders() []contender {
	return []contender{
		{"memory-64", 0.5, throughEngine(withMemory, 1, 1)},
		{"sqlite-64", 0.4, throughEngine(withSQLite, 1, 1)},
		{"sqlite-batch", 0.4, throughEngine(withSQLite, 100, 1)},
		{"sqlite-hosttx", 0.4, inTransactions(100)},
		{"sqlite-10callbacks", 0.4, throughEngine(withSQLite, 1, 10)},
		{"sqlite-100callbacks", 0.3, throughEngine(withSQLite, 1, 100)},
		{"write-path", 0.1, writePath},
		{"river-sqlite", 0.04, riverSQLite},
		{"river-postgres", 0.09, riverPostgres},
		{"goqite", 0.04, goqiteSQLite},
	}
}

// ours reports whether a contender is ringback.
func ours(name string) bool { return !strings.HasPrefix(name, "river") && name != "goqite" }
