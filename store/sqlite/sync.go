package sqlite

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/internal/durable"
)

// A syncer waits for the disk behind the writer, which commits without that: meanwhile the
// next transaction goes on, and the lock is free for others. Who has committed waits, or a
// timer's goroutine where nobody else does. A work ends when its transaction is on the disk.
// All that the log held before is so too then, whoever has written it: so what is sent
// because of another's commit is as sure as one's own claim.
//
// SQLite itself waits for the disk where it moves the log into the database's file and
// where it begins the log anew.
type syncer struct {
	log  *os.File // the file with the name that ends in -wal
	sync func(*os.File) error

	mu      sync.Mutex
	waiting []*work     // that are committed
	wanted  bool        // the disk is to be waited for now
	syncing bool        // somebody waits for it
	ended   *sync.Cond  // syncing has become false
	spare   []*work     // room for those that wait
	late    *time.Timer // when the disk is to be waited for in any case
	failure error       // since a sync has failed, nothing is sure: the system may forget what it could not write
}

// newSyncer opens the log at once: where the process has no more files to open later, what is
// committed could not be made to last.
func newSyncer(log string) (*syncer, error) {
	file, err := os.OpenFile(log, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &syncer{log: file, sync: durable.Sync}
	s.ended = sync.NewCond(&s.mu)
	s.late = time.AfterFunc(company, s.runLate) // and does nothing the first time
	return s, nil
}

// committed takes over works that were committed, for run to wait for the disk.
func (s *syncer) committed(works ...*work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, works...)
	s.wanted = true
}

// committedPatiently takes over works that were committed, and that may wait a little for
// the disk to be waited for because of others.
func (s *syncer) committedPatiently(works ...*work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 { // for others the disk is waited for in time
		s.late.Reset(company)
	}
	s.waiting = append(s.waiting, works...)
}

// runLate waits for the disk if anything waits for that.
func (s *syncer) runLate() {
	s.mu.Lock()
	s.wanted = s.wanted || len(s.waiting) > 0
	s.mu.Unlock()
	s.run()
}

// busy reports whether somebody waits for the disk, or is about to.
func (s *syncer) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted || s.syncing
}

// run waits for the disk, if that is to be done now, and ends the works that have waited for
// that. If somebody does already, he does so once more.
func (s *syncer) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.syncing {
		return
	}
	s.syncing = true
	for s.wanted {
		s.wanted = false
		s.late.Stop()
		works := s.waiting
		s.waiting = s.spare[:0]
		if s.failure == nil {
			s.mu.Unlock()
			err := s.sync(s.log)
			s.mu.Lock()
			if err != nil {
				s.failure = fmt.Errorf("what was committed may not survive a power cut: %w", err)
			}
		}
		for _, k := range works {
			k.end(s.failure)
		}
		clear(works)
		s.spare = works
	}
	s.syncing = false
	s.ended.Broadcast()
}

// close waits until the last work has ended. No more come.
func (s *syncer) close() {
	s.runLate()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.syncing {
		s.ended.Wait()
	}
	s.log.Close()
}

// failed returns why nothing is sure, nil while all is well.
func (s *syncer) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// mended says that all that was committed is on the disk, by another way.
func (s *syncer) mended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = nil
}
