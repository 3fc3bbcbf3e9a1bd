package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

const empty = ok + "Content-Length: 0\r\n\r\n"

// tap keeps the connections that a client dials, so that the test can look at them.
type tap struct {
	mu    sync.Mutex
	conns []*net.TCPConn
}

func (d *tap) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, c.(*net.TCPConn))
	return c, nil
}

func (d *tap) Last() *net.TCPConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conns[len(d.conns)-1]
}

// A receiver that closes its connections when they are idle, or talks on them, costs no
// request.
func TestDeadConnectionsAreNotUsed(t *testing.T) {
	for name, after := range map[string]func(net.Conn){
		"closed": func(c net.Conn) {},
		"reset":  func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },
		"a late answer": func(c net.Conn) {
			write(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
			stall(c)
		},
		"one byte": func(c net.Conn) {
			write(c, "\n")
			stall(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			idle := make(chan struct{})
			s := serve(t, func(c net.Conn) {
				if readRequest(bufio.NewReader(c)) != nil {
					write(c, empty)
					<-idle
					after(c)
				}
			})
			var dialled tap
			c := newClient(t, http1.Options{Dial: dialled.Dial})
			for n := int32(1); n <= 5; n++ {
				if a := mustPost(t, c, s.URL); a.Status != 200 || s.Accepted.Load() != n {
					t.Errorf("request %d: %+v on connection %d", n, a, s.Accepted.Load())
				}
				idle <- struct{}{}
				eventually(t, "something has come", func() bool { return hasCome(dialled.Last()) })
			}
		})
	}
}

// A connection that dies under a request costs that request: it is not sent again, for
// it may have been received.
func TestNoSilentRepeat(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"closed":      func(c net.Conn) {},
		"reset":       func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },
		"half header": func(c net.Conn) { write(c, ok) },
	} {
		t.Run(name, func(t *testing.T) {
			requests := make(chan string, 10)
			s := serve(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				for n := 1; ; n++ {
					request := readRequest(r)
					if request == nil {
						return
					}
					body, _ := io.ReadAll(request.Body)
					requests <- string(body)
					if n == 2 {
						break
					}
					write(c, empty)
				}
				end(c)
			})
			c := newClient(t, http1.Options{})
			for n, want := range []bool{true, false, true} {
				if _, err := post(t, c, s.URL, strconv.Itoa(n)); (err == nil) != want {
					t.Errorf("request %d: %v", n, err)
				}
			}
			c.CloseIdle()
			s.Close()
			close(requests)
			var got []string
			for body := range requests {
				got = append(got, body)
			}
			if text := strings.Join(got, " "); text != "0 1 2" || s.Accepted.Load() != 2 {
				t.Errorf("received: %s, on %d connections", text, s.Accepted.Load())
			}
		})
	}
}

// Connections are kept up to the limits, and those unused for longest go first.
func TestIdleLimits(t *testing.T) {
	var servers []*server
	gates := make(chan struct{})
	for range 4 {
		servers = append(servers, serve(t, func(c net.Conn) {
			for r := bufio.NewReader(c); readRequest(r) != nil; {
				<-gates
				write(c, empty)
			}
		}))
	}
	c := newClient(t, http1.Options{MaxIdle: 3, MaxIdlePerHost: 2, IdleTimeout: time.Hour})
	// at has n requests to a server at the same time.
	at := func(i, n int) {
		var posts sync.WaitGroup
		before := servers[i].Accepted.Load()
		open := servers[i].Open.Load()
		for range n {
			posts.Go(func() {
				if _, err := post(t, c, servers[i].URL, ""); err != nil {
					t.Error(err)
				}
			})
		}
		eventually(t, "all are connected", func() bool {
			return servers[i].Accepted.Load() == before+max(int32(n)-open, 0)
		})
		for range n {
			gates <- struct{}{}
		}
		posts.Wait()
	}
	open := func(want ...int32) {
		t.Helper()
		for i, n := range want {
			eventually(t, "server "+strconv.Itoa(i)+" has "+strconv.Itoa(int(n))+" connections",
				func() bool { return servers[i].Open.Load() == n })
		}
	}
	at(0, 4)
	open(2, 0, 0, 0) // per host
	at(1, 1)
	open(2, 1, 0, 0)
	at(2, 1)
	open(1, 1, 1, 0) // in total
	at(0, 1)         // is the youngest now
	at(3, 2)
	open(1, 0, 0, 2)
	at(0, 1)
	at(3, 2)
	if n := servers[0].Accepted.Load() + servers[3].Accepted.Load(); n != 4+2 {
		t.Errorf("%d connections, want 6: those kept are used", n)
	}
	c.CloseIdle()
	open(0, 0, 0, 0)
	at(0, 1)
	open(1, 0, 0, 0) // it can be used again
}

// Hosts, ports and schemes do not share connections.
func TestOriginsAreKeptApart(t *testing.T) {
	var dialled tap
	s := serve(t, answering(empty))
	var addresses []string
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		addresses = append(addresses, address)
		return dialled.Dial(ctx, network, s.URL.Host)
	}})
	for _, raw := range []string{"http://a/", "http://b/", "http://a:81/", "http://a/c?d", "http://a:80/"} {
		mustPost(t, c, mustParse(raw))
	}
	if got := strings.Join(addresses, " "); got != "a:80 b:80 a:81" {
		t.Errorf("dialled: %s", got)
	}
}

// pipes dials pipes to a handler, for use in a bubble.
func pipes(handle func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			handle(far)
		}()
		return near, nil
	}
}

// A connection is closed IdleTimeout after its last request, whether or not others are
// kept for longer.
func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var ended []time.Duration
		c := http1.New(http1.Options{Dial: pipes(func(c net.Conn) {
			answering(empty)(c)
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, time.Since(began).Round(100*time.Millisecond))
		})})
		mustPost(t, c, mustParse("http://a/"))
		<-time.After(time.Second)
		mustPost(t, c, mustParse("http://b/"))
		<-time.After(2 * time.Second)
		mustPost(t, c, mustParse("http://a/")) // on the kept one
		<-time.After(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if len(ended) != 2 || ended[0] != 5*time.Second || ended[1] != 7*time.Second {
			t.Errorf("connections ended at %v, want 5 s and 7 s", ended)
		}
	})
}

// Of too many connections to a host, the one goes that is unused for longest.
func TestOldestGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled, ended []int
		var mu sync.Mutex
		c := http1.New(http1.Options{MaxIdlePerHost: 2, IdleTimeout: time.Hour, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			n := len(dialled) + 1
			dialled = append(dialled, n)
			return pipes(func(c net.Conn) {
				for r := bufio.NewReader(c); readRequest(r) != nil; {
					<-time.After(time.Duration(n) * time.Second)
					write(c, empty)
				}
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, n)
			})(ctx, network, address)
		}})
		var posts sync.WaitGroup
		for range 4 {
			posts.Go(func() { mustPost(t, c, mustParse("http://a/")) })
		}
		posts.Wait()
		synctest.Wait()
		mu.Lock()
		if got := fmt.Sprint(ended); got != "[1 2]" {
			t.Errorf("of connections that answered in the order 1, 2, 3, 4, those that ended are %s", got)
		}
		mu.Unlock()
		c.CloseIdle()
	})
}

// Of hosts to which there is no connection any more, nothing is left.
func TestHostsAreForgotten(t *testing.T) {
	kept, closed := serve(t, answering(empty)), serve(t, answering(ok+"Connection: close\r\nContent-Length: 0\r\n\r\n"))
	cut := serve(t, func(c net.Conn) { readRequest(bufio.NewReader(c)) })
	c := newClient(t, http1.Options{})
	for range 3 {
		mustPost(t, c, kept.URL)
		mustPost(t, c, closed.URL)
		post(t, c, cut.URL, "")
		if n := c.Hosts(); n != 1 {
			t.Errorf("%d hosts are known, want the one whose connection was kept", n)
		}
	}
	c.CloseIdle()
	if n := c.Hosts(); n != 0 {
		t.Errorf("%d hosts are known", n)
	}
}

// CloseIdle leaves a connection alone that is in use.
func TestCloseIdleDuringRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := http1.New(http1.Options{IdleTimeout: time.Second, Dial: pipes(func(c net.Conn) {
			for r := bufio.NewReader(c); readRequest(r) != nil; {
				<-time.After(time.Second)
				write(c, empty)
			}
		})})
		go func() {
			<-time.After(500 * time.Millisecond)
			c.CloseIdle()
		}()
		mustPost(t, c, mustParse("http://a/"))
		c.CloseIdle()
		c.CloseIdle()
	}) // does not end before all connections have
}

// Hundreds of goroutines share a client.
func TestConcurrentUse(t *testing.T) {
	var servers []*server
	for i := range 4 {
		servers = append(servers, serve(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			for n := 0; ; n++ {
				request := readRequest(r)
				if request == nil {
					return
				}
				body, _ := io.ReadAll(request.Body)
				text := ok
				if n == 20 && i == 0 {
					text += "Connection: close\r\n"
				}
				write(c, text+"Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+string(body))
			}
		}))
	}
	c := newClient(t, http1.Options{MaxIdle: 10, MaxIdlePerHost: 4})
	var posts sync.WaitGroup
	for g := range 200 {
		posts.Go(func() {
			for n := range 20 {
				body := strconv.Itoa(g) + " " + strconv.Itoa(n)
				a, err := post(t, c, servers[(g+n)%len(servers)].URL, body)
				if err != nil || a.Body != body {
					t.Errorf("%+v, %v; want the answer to this request: %q", a, err, body)
				}
			}
		})
	}
	posts.Wait()
	eventually(t, "the limits are kept", func() bool {
		var all int32
		for _, s := range servers {
			n := s.Open.Load()
			if n > 4 {
				return false
			}
			all += n
		}
		return all <= 10
	})
}

func TestDialErrors(t *testing.T) {
	own := errors.New("refused by the check")
	c := newClient(t, http1.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, own }})
	for _, raw := range []string{"http://a/", "https://a/"} {
		if _, err := post(t, c, mustParse(raw), ""); err != own {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
