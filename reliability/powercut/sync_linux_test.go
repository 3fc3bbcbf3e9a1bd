package powercut_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// ownSyncs is where the numbers of the syncs begin that are not SQLite's.
const ownSyncs = 1 << 32

// recordSyncs returns what stands in for the store's own waiting for the disk, which does not
// go through a library of C. As with the syncs of SQLite, the disk takes the same short time
// everywhere, in which others go on.
func (n notebook) recordSyncs() func(*os.File) error {
	var syncs atomic.Uint64
	return func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		system, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("the number of %s is not known", f.Name())
		}
		r := record{kind: syncBegan, file: system.Ino, offset: ownSyncs + syncs.Add(1)}
		if err := n.append(r); err != nil {
			return err
		}
		<-time.After(200 * time.Microsecond)
		r.kind = syncEnded
		return n.append(r)
	}
}
