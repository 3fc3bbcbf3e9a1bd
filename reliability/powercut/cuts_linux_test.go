package powercut_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/store/storetest"
)

// choose returns some of the records, in order: a tenth of them from where the database
// is made.
func choose(records []record, n int, rng *rand.Rand) []int {
	made := slices.IndexFunc(records, func(r record) bool { return r.kind == noted })
	early := min(n/10, made)
	chosen := rng.Perm(made)[:early]
	for _, i := range rng.Perm(len(records) - made)[:n-early] {
		chosen = append(chosen, made+i)
	}
	slices.Sort(chosen)
	return chosen
}

// A tally counts power cuts.
type tally struct {
	mu                 sync.Mutex
	cuts, drained      int
	pending, committed int // changes that were not synced, events that were committed
}

// checkCuts cuts the power after each of some records, in their order.
func checkCuts(t *testing.T, to *receiver, seed uint64, records []record, chosen []int) {
	var tally tally
	workers := runtime.GOMAXPROCS(0)
	t.Run("cuts", func(t *testing.T) {
		for worker := range workers {
			t.Run(fmt.Sprint("worker=", worker), func(t *testing.T) {
				t.Parallel()
				disk, said := newDisk(), newHistory()
				for i := worker; i < len(chosen); i += workers {
					for disk.done <= chosen[i] {
						step(t, disk, said, records[disk.done])
					}
					tally.add(disk, said)
					t.Run(fmt.Sprint("record=", chosen[i]), func(t *testing.T) {
						c, dir := cut(t, disk, said, fate(i%int(fates)), newRand(seed, 1+chosen[i]))
						for _, f := range c.findings {
							t.Error(f)
						}
						if t.Failed() || i%lookEvery != 0 {
							return
						}
						db, store := openAgain(t, dir)
						storetest.CheckInvariants(t, store)
						if i%drainEvery == 0 {
							tally.drain()
							checkDrain(t, db, store, to, c)
						}
					})
				}
			})
		}
	})
	n := float64(tally.cuts)
	t.Logf("%d power cuts, with %.1f changes not synced and %.1f events committed on average; %d databases drained",
		tally.cuts, float64(tally.pending)/n, float64(tally.committed)/n, tally.drained)
	if tally.cuts != len(chosen) || tally.pending < tally.cuts {
		t.Error("there was too little to lose")
	}
}

// One of so many databases is asked for what holds in every store, and one is drained.
// Neither number has a factor in common with the number of fates.
const (
	lookEvery  = 7
	drainEvery = 3 * lookEvery
)

func (y *tally) add(d *disk, said *history) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.cuts++
	y.pending += d.pending()
	y.committed += len(said.committed)
}

func (y *tally) drain() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.drained++
}

// cut cuts the power and opens the database that is left, in the directory that it
// returns.
func cut(t *testing.T, d *disk, said *history, fate fate, rng *rand.Rand) (*comparison, string) {
	t.Helper()
	dir := memoryDir(t)
	image := d.powerCut(fate, rng)
	if err := image.write(dir); err != nil {
		t.Fatal(err)
	}
	c := compare(t.Context(), dir, said)
	if len(c.findings) > 0 {
		// The directory as it was before it was opened.
		if err := image.write(t.ArtifactDir()); err != nil {
			t.Error(err)
		}
		t.Logf("power cut after record %d, what was not synced is %s", d.done-1, fate)
	}
	return c, dir
}

// memoryDir returns a directory that is in memory where there is such a place: to wait
// for the disk of this machine proves nothing here, and takes most of the time.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "powercut-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
