package sqlite

import (
	"fmt"
	"os"
	"sync"

	"github.com/ringback-dev/ringback/internal/durable"
)

// A syncer waits for the disk in the writer's place, which commits without that: meanwhile
// the next transaction goes on, and the lock is free for others. A work ends when its
// transaction is on the disk. All that the log held before is so too then, whoever has
// written it: so what is sent because of another's commit is as sure as one's own claim.
//
// SQLite itself waits for the disk where it moves the log into the database's file and
// where it begins the log anew.
type syncer struct {
	log    *os.File // the file with the name that ends in -wal
	sync   func(*os.File) error
	come   chan struct{} // there is something to wait for
	closed chan struct{}

	mu      sync.Mutex
	waiting []*work // that are committed
	failure error   // since a sync has failed, nothing is sure: the system may forget what it could not write
	closing bool
}

// newSyncer opens the log at once: where the process has no more files to open later, what is
// committed could not be made to last.
func newSyncer(log string) (*syncer, error) {
	file, err := os.OpenFile(log, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &syncer{log: file, sync: durable.Sync, come: make(chan struct{}, 1), closed: make(chan struct{})}
	go s.serve()
	return s, nil
}

// committed takes over works that were committed.
func (s *syncer) committed(works ...*work) {
	s.mu.Lock()
	s.waiting = append(s.waiting, works...)
	s.mu.Unlock()
	signal(s.come)
}

// close waits until the last work has ended.
func (s *syncer) close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	signal(s.come)
	<-s.closed
}

func (s *syncer) serve() {
	defer close(s.closed)
	var works []*work
	for closing := false; !closing; {
		<-s.come
		s.mu.Lock()
		works, s.waiting, closing = s.waiting, works[:0], s.closing
		err := s.failure
		s.mu.Unlock()
		if err == nil && len(works) > 0 {
			err = s.wait()
		}
		for _, k := range works {
			k.end(err)
		}
		clear(works)
	}
	s.log.Close()
}

// wait waits for the disk.
func (s *syncer) wait() error {
	err := s.sync(s.log)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("what was committed may not survive a power cut: %w", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
	return err
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
