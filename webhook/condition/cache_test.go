package condition_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

func TestCompileIsCached(t *testing.T) {
	ev := evaluator(t)
	first, err := ev.Compile("a == 1")
	if err != nil {
		t.Fatal(err)
	}
	if first.Source() != "a == 1" {
		t.Errorf("Source() = %q", first.Source())
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				if again, err := ev.Compile("a == 1"); again != first || err != nil {
					t.Errorf("Compile returned another condition, or %v", err)
					return
				}
			}
		})
	}
	wait.Wait()

	// Refused sources drive nothing out.
	for i := range 5000 {
		if _, err := ev.Compile(fmt.Sprintf("a = %d", i)); !errors.Is(err, webhook.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if again, _ := ev.Compile("a == 1"); again != first {
		t.Error("refused sources drove out one in use")
	}
}

func TestCacheIsBounded(t *testing.T) {
	ev := evaluator(t)
	first, err := ev.Compile("a == 1")
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := ev.Begin(update(map[string]any{"a": 1}, nil))
	for i := range 600 { // 50 KB each
		c, err := ev.Compile(strings.Repeat("a==1&&", 240) + fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		s.Evaluate(c)
	}
	s.End()
	if grown := int64(heap()) - int64(before); grown > 32<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	if again, err := ev.Compile("a == 1"); again == first || err != nil {
		t.Errorf("the oldest condition is still there, or %v", err)
	}
	runtime.KeepAlive(ev)
}
