package powercut_test

import (
	"slices"
	"strings"
	"testing"
)

// The tests in this file show that a power cut finds what it is there to find.

// controlWorkload is as small as it can be: the log begins anew in its second round.
func controlWorkload() workload { return workload{Seed: *seed, Rounds: 2, Changes: 12} }

// TestRelaxedHost lets a host commit without waiting for the disk.
func TestRelaxedHost(t *testing.T) {
	w := controlWorkload()
	w.Relaxed = true
	records := recordWorkload(t, newReceiver(t), w)
	expectFinding(t, records, afterCommits(records), lost)
}

// TestChangesApart lets a host commit its changes first and dispatch their events then.
func TestChangesApart(t *testing.T) {
	w := controlWorkload()
	w.Apart = true
	records := recordWorkload(t, newReceiver(t), w)
	expectFinding(t, records, afterSyncs(records), apart)
}

// TestLyingDisk lets the disk forget the syncs of a file, from the first commit on.
func TestLyingDisk(t *testing.T) {
	records := recordWorkload(t, newReceiver(t), controlWorkload())
	t.Run("log", func(t *testing.T) {
		without := withoutSyncs(records, databaseName+"-wal")
		expectFinding(t, without, afterCommits(without), lost, damaged)
	})
	t.Run("log, from the store", func(t *testing.T) {
		without := withoutOwnSyncs(records)
		expectFinding(t, without, afterCommits(without), lost)
	})
	t.Run("database", func(t *testing.T) {
		without := withoutSyncs(records, databaseName)
		// After a checkpoint the log begins anew: what it held is in the database alone.
		expectFinding(t, without, afterCommits(without), lost, damaged)
	})
	t.Run("directory", func(t *testing.T) {
		without := withoutSyncs(records, "") // the log of the second round is a new file
		expectFinding(t, without, afterCommits(without), lost, damaged)
	})
}

// expectFinding cuts the power after some records until it finds something of one of
// the kinds. What is not synced is dropped.
func expectFinding(t *testing.T, records []record, after []int, kinds ...string) {
	t.Helper()
	disk, said := newDisk(), newHistory()
	for i, at := range after {
		for disk.done <= at {
			step(t, disk, said, records[disk.done])
		}
		dir := memoryDir(t)
		if err := disk.powerCut(dropped, newRand(0, 0)).write(dir); err != nil {
			t.Fatal(err)
		}
		c := compare(t.Context(), dir, said)
		if slices.ContainsFunc(c.findings, func(f finding) bool { return slices.Contains(kinds, f.kind) }) {
			t.Logf("power cut %d of %d: %v", i+1, len(after), c.findings[0])
			return
		}
	}
	t.Errorf("%d power cuts, and nothing was %s", len(after), strings.Join(kinds, " or "))
}

// afterCommits returns the notes of commits.
func afterCommits(records []record) (list []int) {
	for i, r := range records {
		if r.kind == noted && strings.HasPrefix(string(r.bytes), saysCommitted+" ") {
			list = append(list, i)
		}
	}
	return list
}

// afterSyncs returns the ends of syncs.
func afterSyncs(records []record) (list []int) {
	for i, r := range records {
		if r.kind == syncEnded {
			list = append(list, i)
		}
	}
	return list
}

// withoutSyncs returns the records without the later syncs of a file, or, without a
// name, of the directory.
func withoutSyncs(records []record, name string) []record {
	names := map[uint64]string{directory: ""}
	for _, r := range records {
		if r.kind == created {
			names[r.file] = string(r.bytes)
		}
	}
	first := afterCommits(records)[0]
	return slices.Concat(records[:first], slices.DeleteFunc(slices.Clone(records[first:]), func(r record) bool {
		return r.kind == syncEnded && names[r.file] == name
	}))
}

// withoutOwnSyncs returns the records without the later syncs of the store's own.
func withoutOwnSyncs(records []record) []record {
	first := afterCommits(records)[0]
	return slices.Concat(records[:first], slices.DeleteFunc(slices.Clone(records[first:]), func(r record) bool {
		return r.kind == syncEnded && r.offset > ownSyncs
	}))
}
