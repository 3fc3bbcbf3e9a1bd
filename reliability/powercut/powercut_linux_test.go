package powercut_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

var (
	full = flag.Bool("full", false, "cut the power at 10,000 moments instead of 150")
	seed = flag.Uint64("seed", 0, "of the workloads and the power cuts, 0 for a new one")
)

func TestMain(m *testing.M) {
	if text := os.Getenv(workloadVariable); text != "" {
		if err := beChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(rand.Uint32())
	}
	os.Exit(m.Run())
}

// newRand returns the generator of random numbers of one power cut.
func newRand(seed uint64, at int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(at))) }

// TestPowerCut cuts the power at random moments.
func TestPowerCut(t *testing.T) {
	workloads, cuts := 1, 150
	w := workload{Rounds: 2, Changes: 50}
	if *full {
		workloads, cuts = 20, 500
		w = workload{Rounds: 3, Changes: 60}
	}
	to := newReceiver(t)
	for i := range workloads {
		w.Seed = *seed + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", w.Seed), func(t *testing.T) {
			records := recordWorkload(t, to, w)
			checkWorkload(t, records)
			checkCuts(t, to, w.Seed, records, choose(records, cuts, newRand(w.Seed, 0)))
		})
	}
}

// checkWorkload checks that there is something to lose at every step.
func checkWorkload(t *testing.T, records []record) {
	t.Helper()
	disk, said := newDisk(), newHistory()
	count, names := make(map[string]int), make(map[uint64]string)
	for _, r := range records {
		step(t, disk, said, r)
		switch {
		case r.kind == created:
			names[r.file] = string(r.bytes)
		case r.kind == unlinked:
			count["files removed"]++
		case r.kind == written && names[r.file] == databaseName:
			count["writes to the database"]++
		case r.kind == written && names[r.file] == databaseName+"-wal" && r.offset == 0:
			count["beginnings of the log"]++
		}
	}
	dir := t.TempDir()
	if err := disk.powerCut(kept, newRand(0, 0)).write(dir); err != nil {
		t.Fatal(err)
	}
	c := compare(t.Context(), dir, said)
	for _, f := range c.findings {
		t.Errorf("without a power cut: %s", f)
	}
	for event := range said.committed {
		if c.events[event] == nil {
			count["events pruned"]++
		}
	}
	count["changes"] = len(c.ledger)
	count["events committed"] = len(said.committed)
	count["deliveries received"] = len(said.received)
	t.Log(count)
	for what, least := range map[string]int{
		"writes to the database": 50, "beginnings of the log": 3, "files removed": 2, "events pruned": 1,
		"changes": 50, "events committed": 100, "deliveries received": 30,
	} {
		if count[what] < least {
			t.Errorf("the workload made %d %s, want %d", count[what], what, least)
		}
	}
}

// step makes what a record tells of, for the disk or for those who listen.
func step(t *testing.T, disk *disk, said *history, r record) {
	t.Helper()
	err := disk.do(r)
	if r.kind == noted {
		err = said.add(string(r.bytes))
	}
	if err != nil {
		t.Fatal(err)
	}
}
