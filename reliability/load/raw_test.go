package load_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A rawServer treats each of its connections in its own way.
type rawServer struct {
	address string
	took    atomic.Int64 // connections
	open    atomic.Int64
	close   func()
}

// A rawConn is a connection of a rawServer's. What it does fails once either side has
// closed it.
type rawConn struct {
	net.Conn
	done <-chan struct{}
}

// serveRaw starts a server. Its connections are closed when treat returns, and when the
// test ends or close is called.
func serveRaw(t *testing.T, treat func(*rawConn)) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{address: listener.Addr().String()}
	done := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.took.Add(1)
			s.open.Add(1)
			serving.Go(func() {
				defer s.open.Add(-1)
				defer conn.Close()
				ended := make(chan struct{})
				defer close(ended)
				serving.Go(func() {
					select {
					case <-done:
						conn.Close()
					case <-ended:
					}
				})
				treat(&rawConn{conn, done})
			})
		}
	})
	s.close = sync.OnceFunc(func() {
		close(done)
		listener.Close()
		serving.Wait()
	})
	t.Cleanup(s.close)
	return s
}

// readRequest reads as much of a request as comes at once.
func (c *rawConn) readRequest() { c.Read(make([]byte, 64<<10)) }

// wait waits until the other side has closed the connection.
func (c *rawConn) wait() {
	buffer := make([]byte, 4<<10)
	for {
		if _, err := c.Read(buffer); err != nil {
			return
		}
	}
}

// say writes some text and reports whether that was possible.
func (c *rawConn) say(text string) bool {
	_, err := c.Write([]byte(text))
	return err == nil
}

// repeat writes some text again and again, with pauses, for as long as that is possible.
func (c *rawConn) repeat(text string, pause time.Duration) {
	for c.say(text) {
		if pause == 0 {
			continue
		}
		select {
		case <-c.done:
			return
		case <-time.After(pause):
		}
	}
}

// reset ends the connection with a reset.
func (c *rawConn) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// The three kinds of receivers that are dead.
func silent(c *rawConn) { <-c.done }

func resetting(c *rawConn) {
	c.readRequest()
	c.reset()
}

func dripping(c *rawConn) {
	c.readRequest()
	if c.say("HTTP/1.1 200 OK\r\nX: ") {
		c.repeat("x", 200*time.Millisecond)
	}
}
