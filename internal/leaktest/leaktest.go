// Package leaktest fails a package's tests when they leave goroutines behind:
//
//	func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }
package leaktest

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines may take to end after the tests.
const patience = 10 * time.Second

// Run runs the tests and returns the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	if fuzz := flag.Lookup("test.fuzz"); fuzz != nil && fuzz.Value.String() != "" {
		return code // its workers are the testing package's own
	}
	http.DefaultClient.CloseIdleConnections()
	left := goroutines()
	for began := time.Now(); len(left) > 0 && time.Since(began) < patience; left = goroutines() {
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) > 0 {
		fmt.Fprintf(os.Stderr, "leaktest: %d goroutines are left:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		return 1
	}
	return code
}

// goroutines returns the stacks of all goroutines that somebody has left: not the
// caller's, and not those of the runtime and of packages that keep one for good.
func goroutines() []string {
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var left []string
	for i, stack := range strings.Split(strings.TrimSpace(string(buffer)), "\n\n") {
		if i > 0 && !strings.Contains(stack, "os/signal.") && !strings.Contains(stack, "testing.(*M).") {
			left = append(left, stack)
		}
	}
	return left
}
