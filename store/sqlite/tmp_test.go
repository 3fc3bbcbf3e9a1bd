package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

func cpu() time.Duration {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 2, uintptr(unsafe.Pointer(&ts)), 0)
	return time.Duration(ts.Nano())
}

func TestTmp(t *testing.T) {
	db, store := newHost(t)
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 1)
	done := make(chan bool)
	go func() {
		store.Watch(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
		close(done)
	}()
	<-woken
	time.Sleep(100 * time.Millisecond)
	c := cpu()
	time.Sleep(5 * time.Second)
	fmt.Printf("idle: %.3f %% of a core\n", float64(cpu()-c)/float64(5*time.Second)*100)
	var lat []time.Duration
	for i, e := range events("e", 50) {
		tx := begin(t, db)
		if i%2 == 0 {
			store.InTx(tx).Dispatch(t.Context(), e)
		} else {
			tx.Exec("insert into ledger values (?)", e.ID) // as another process
		}
		time.Sleep(3 * time.Millisecond)
		for len(woken) > 0 {
			<-woken
		}
		tx.Commit()
		b := time.Now()
		<-woken
		lat = append(lat, time.Since(b))
		time.Sleep(10 * time.Millisecond)
	}
	slices.Sort(lat)
	fmt.Println("wake p50", lat[25], "max", lat[49])
	tx := begin(t, db)
	store.InTx(tx).Dispatch(t.Context(), event("q"))
	c = cpu()
	time.Sleep(900 * time.Millisecond)
	fmt.Printf("quick: %.3f %% of a core\n", float64(cpu()-c)/float64(900*time.Millisecond)*100)
	tx.Rollback()
	cancel()
	<-done
}
