package leaktest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGoroutines(t *testing.T) {
	mine := func(stack string) bool { return strings.Contains(stack, "leaktest.leave(") }
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		leave(end)
	}()
	for began := time.Now(); !slices.ContainsFunc(goroutines(), mine); {
		if time.Since(began) > patience {
			t.Fatalf("a goroutine that is left is not found among %q", goroutines())
		}
	}
	close(end)
	<-ended
	for began := time.Now(); slices.ContainsFunc(goroutines(), mine); {
		if time.Since(began) > patience {
			t.Fatalf("a goroutine that has ended is found among %q", goroutines())
		}
	}
}

// leave lasts until it is told to end.
func leave(end chan struct{}) { <-end }
