package http1_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// slow are receivers that cost all the time there is.
var slow = map[string]func(net.Conn){
	"never reads":   func(c net.Conn) { <-time.After(300 * time.Millisecond) },
	"never answers": stall,
	"half a status line": func(c net.Conn) {
		write(c, "HTTP/1.1 20")
		stall(c)
	},
	"half a header": func(c net.Conn) {
		write(c, ok+"X: y\r\n")
		stall(c)
	},
	"drips its header": func(c net.Conn) {
		for text := ok; write(c, text) == nil; text = "X: y\r\n" {
			<-time.After(20 * time.Millisecond)
		}
	},
	"drips interim answers": func(c net.Conn) {
		for write(c, "HTTP/1.1 103 Hints\r\n\r\n") == nil {
			<-time.After(20 * time.Millisecond)
		}
	},
}

func TestDeadline(t *testing.T) {
	large := make([]byte, 16<<20)
	for name, handle := range slow {
		for _, body := range [][]byte{large[:5], large} {
			t.Run(name, func(t *testing.T) {
				s := serve(t, handle)
				c := newClient(t, http1.Options{})
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				a, err := c.Post(ctx, to(s.URL), nil, body)
				if !errors.Is(err, context.DeadlineExceeded) || a.Status != 0 {
					t.Errorf("%+v, %v", a, err)
				}
				if d := time.Since(began); d < 200*time.Millisecond || d > 10*time.Second {
					t.Errorf("took %v", d)
				}
			})
		}
	}
}

func TestCancellation(t *testing.T) {
	for name, handle := range slow {
		t.Run(name, func(t *testing.T) {
			connected := make(chan struct{})
			s := serve(t, func(c net.Conn) {
				close(connected)
				handle(c)
			})
			c := newClient(t, http1.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-connected
				cancel()
			}()
			began := time.Now()
			if _, err := c.Post(ctx, to(s.URL), nil, make([]byte, 16<<20)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if _, err := c.Post(ctx, to(s.URL), nil, nil); !errors.Is(err, context.Canceled) || s.Accepted.Load() != 1 {
				t.Errorf("afterwards: %v, %d connections", err, s.Accepted.Load())
			}
		})
	}
}

// A request on a connection that was kept has its own end, too.
func TestEndOnKeptConnection(t *testing.T) {
	for name, text := range map[string]string{"no answer": "", "half a status line": "HTTP/1.1 20", "half a header": ok + "X: y\r\n"} {
		for _, size := range []int{4, 16 << 20} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				asked := make(chan struct{}, 1)
				s := serve(t, func(c net.Conn) {
					r := bufio.NewReader(c)
					readRequest(r)
					write(c, empty)
					r.Peek(1)
					asked <- struct{}{}
					write(c, text)
					stall(c)
				})
				body := make([]byte, size)
				c := newClient(t, http1.Options{Timeout: 2 * time.Second})
				mustPost(t, c, s.URL)
				began := time.Now()
				if _, err := c.Post(t.Context(), to(s.URL), nil, body); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("in time: %v", err)
				}
				<-asked
				if d := time.Since(began); d < 2*time.Second || d > 10*time.Second || s.Accepted.Load() != 1 {
					t.Errorf("took %v, on %d connections", d, s.Accepted.Load())
				}

				c = newClient(t, http1.Options{})
				mustPost(t, c, s.URL)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-asked
					cancel()
				}()
				if _, err := c.Post(ctx, to(s.URL), nil, body); !errors.Is(err, context.Canceled) || s.Accepted.Load() != 2 {
					t.Errorf("canceled: %v, on %d connections", err, s.Accepted.Load())
				}
				eventually(t, "the connections are closed", func() bool { return s.Open.Load() == 0 })
			})
		}
	}
}

// Times are kept to the millisecond where nothing else takes any.
func TestTimes(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name     string
		handle   func(c net.Conn)
		deadline time.Duration
		cancel   time.Duration
		took     time.Duration
		err      error
	}{
		{"silent", stall, 15 * second, 0, 15 * second, context.DeadlineExceeded},
		{"canceled", stall, 15 * second, 3 * second, 3 * second, context.Canceled},
		{"canceled without a deadline", stall, 0, 3 * second, 3 * second, context.Canceled},
		{"slow body", says(ok + "Content-Length: 10\r\n\r\nabc"), 15 * second, 0, second, nil},
		{"slow chunks", says(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), 0, 0, second, nil},
		{"slow body before the deadline", says(ok + "Content-Length: 10\r\n\r\nabc"), second / 2, 0, second / 2, nil},
		{"canceled in the body", says(ok + "Content-Length: 10\r\n\r\nabc"), 15 * second, second / 2, second / 2, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := http1.New(http1.Options{Dial: pipes(func(c net.Conn) {
					readRequest(bufio.NewReader(c))
					test.handle(c)
					stall(c)
				})})
				ctx, cancel := context.WithCancel(t.Context())
				if test.deadline > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), test.deadline)
				}
				defer cancel()
				if test.cancel > 0 {
					defer time.AfterFunc(test.cancel, cancel).Stop()
				}
				began := time.Now()
				a, err := c.Post(ctx, to(mustParse("http://a/")), nil, nil)
				if !errors.Is(err, test.err) || test.err == nil && (err != nil || a.Body != "abc") {
					t.Errorf("%+v, %v; want %v", a, err, test.err)
				}
				if d := time.Since(began); d != test.took {
					t.Errorf("took %v, want %v", d, test.took)
				}
			})
		})
	}
}

// A deadline and a cancellation end with their request: the next one on the connection
// has its own.
func TestDeadlinesDoNotStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dialled := 0
		dial := pipes(func(c net.Conn) {
			for r := bufio.NewReader(c); readRequest(r) != nil; {
				<-time.After(800 * time.Millisecond)
				write(c, ok+"Content-Length: 3\r\n\r\n")
				<-time.After(800 * time.Millisecond)
				write(c, "abc")
			}
		})
		c := http1.New(http1.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			return dial(ctx, network, address)
		}})
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			a, err := c.Post(ctx, to(mustParse("http://a/")), nil, nil)
			cancel()
			if err != nil || a.Body != "abc" {
				t.Errorf("%+v, %v", a, err)
			}
			<-time.After(3 * time.Second)
		}
		if _, err := c.Post(context.Background(), to(mustParse("http://a/")), nil, nil); err != nil {
			t.Error(err)
		}
		if dialled != 1 {
			t.Errorf("%d connections", dialled)
		}
		c.CloseIdle()
	})
}

// Options.Timeout bounds all of a request, whatever takes the time, unless the context
// ends before.
func TestTimeout(t *testing.T) {
	const second = time.Second
	slow := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	silent := pipes(stall)
	late := func(ctx context.Context, network, address string) (net.Conn, error) {
		<-time.After(4 * second)
		return silent(ctx, network, address)
	}
	for _, test := range []struct {
		name, url string
		dial      func(context.Context, string, string) (net.Conn, error)
		deadline  time.Duration // of the context
		took      time.Duration
	}{
		{"connecting", "http://a/", slow, 0, 5 * second},
		{"shaking hands", "https://a/", silent, 0, 5 * second},
		{"waiting", "http://a/", silent, 0, 5 * second},
		{"connecting and waiting", "http://a/", late, 0, 5 * second},
		{"the context's is later", "http://a/", silent, 6 * second, 5 * second},
		{"the context's is earlier", "http://a/", silent, 3 * second, 3 * second},
		{"connecting, the context's is earlier", "http://a/", slow, 3 * second, 3 * second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := http1.New(http1.Options{Timeout: 5 * second, Dial: test.dial})
				ctx := context.Background()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				began := time.Now()
				if _, err := c.Post(ctx, to(mustParse(test.url)), nil, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if d := time.Since(began); d != test.took {
					t.Errorf("took %v, want %v", d, test.took)
				}
			})
		})
	}
}

// The deadline bounds connecting too, as far as Dial heeds it.
func TestDeadlineOfDial(t *testing.T) {
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Post(ctx, to(mustParse("http://a/")), nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
