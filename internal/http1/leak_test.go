package http1_test

import (
	"context"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// descriptors returns how many files are open, 0 where the system does not tell.
func descriptors() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// Idle connections cost no goroutines, and whatever receivers do, nothing is left of
// their requests.
func TestNothingIsLeft(t *testing.T) {
	answers := []func(net.Conn){
		answering(empty), stall, says("HTTP/1.1 101 Hm\r\n\r\n"), says("hm\r\n"), func(net.Conn) {},
		answering(ok + "Content-Length: 9\r\n\r\nabc"), answering("HTTP/1.1 204 Hm\r\n\r\nabc"),
	}
	var servers []*server
	for _, handle := range answers {
		servers = append(servers, serve(t, handle))
	}
	before, files := runtime.NumGoroutine(), descriptors()
	c := newClient(t, http1.Options{MaxIdlePerHost: 10, IdleTimeout: time.Hour, BodyTime: 20 * time.Millisecond})
	var posts sync.WaitGroup
	for i := range 10 * len(servers) {
		posts.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			u := *servers[i%len(servers)].URL
			if i%3 == 0 {
				u.Scheme = "https" // which none of them speaks
			}
			c.Post(ctx, to(&u), nil, []byte(strings.Repeat("a", i*10_000)))
		})
	}
	posts.Wait()
	eventually(t, "only idle connections are open", func() bool {
		for _, s := range servers[1:] {
			if s.Open.Load() > 0 {
				return false
			}
		}
		return true
	})
	mustPost(t, c, servers[0].URL)
	eventually(t, "no goroutines but the servers'", func() bool {
		return runtime.NumGoroutine() <= before+int(servers[0].Open.Load())
	})
	if servers[0].Open.Load() == 0 {
		t.Error("no connection was kept")
	}
	c.CloseIdle()
	eventually(t, "goroutines are as before", func() bool { return runtime.NumGoroutine() <= before })
	eventually(t, "open files are as before", func() bool { return descriptors() <= files })
}
