package dispatch_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// anyTarget lets every address and port be called.
var anyTarget = dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true}

// deliverOnce delivers one event to a URL over the real network and returns the
// attempt that was recorded. Unless told otherwise, every address may be called and
// an attempt takes at most half a second.
func deliverOnce(t *testing.T, url string, o *dispatch.Options) webhook.Attempt {
	t.Helper()
	if o == nil {
		o = &dispatch.Options{Targets: anyTarget}
	}
	o.Retry.Pauses = []time.Duration{} // one attempt
	if o.Timeout == 0 {
		o.Timeout = 500 * time.Millisecond
	}
	store := &settledStore{Store: memory.New(), settled: make(chan webhook.Outcome, 1)}
	stop := runEngine(t, store, url, o)
	if err := store.Dispatch(t.Context(), update("1", 30)); err != nil {
		t.Fatal(err)
	}
	outcome := <-store.settled
	stop()
	if outcome.Attempt == nil {
		t.Fatal("no attempt was recorded")
	}
	if (outcome.State == webhook.DeliveryDelivered) != (outcome.Attempt.Error == "") {
		t.Errorf("state %s with error %q", outcome.State, outcome.Attempt.Error)
	}
	return *outcome.Attempt
}

// settledStore tells the test what is settled.
type settledStore struct {
	webhook.Store
	settled chan webhook.Outcome
}

func (s *settledStore) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	disabled, err := s.Store.Settle(ctx, w, outcomes)
	for _, o := range outcomes {
		s.settled <- o
	}
	return disabled, err
}

// rawServer answers every connection with handle, after it has read the request's
// header.
func rawServer(t *testing.T, handle func(c net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan struct{})
	go func() {
		defer close(conns)
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		request := bufio.NewReader(c)
		for {
			line, err := request.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
		}
		handle(c)
	}()
	t.Cleanup(func() {
		listener.Close()
		<-conns
	})
	return "http://" + listener.Addr().String() + "/"
}

// write sends raw bytes; whether the client still listens is its own business.
func write(c net.Conn, text string) error {
	_, err := io.WriteString(c, text)
	return err
}

func TestHostileReceivers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 16<<20))
	z.Close()
	for _, test := range []struct {
		name   string
		handle func(c net.Conn)
		status int
		fault  string // a part of the error; empty for a success
	}{
		{"never answers", func(c net.Conn) { io.Copy(io.Discard, c) }, 0, "no answer within"},
		{"drips its header", func(c net.Conn) {
			write(c, "HTTP/1.1 200 OK\r\n")
			for i := 0; write(c, fmt.Sprintf("X-%d: a\r\n", i)) == nil; i++ {
				<-time.After(20 * time.Millisecond)
			}
		}, 0, "no answer within"},
		{"sends interim answers for ever", func(c net.Conn) {
			for write(c, "HTTP/1.1 103 Early Hints\r\nLink: <"+strings.Repeat("a", 1000)+">\r\n\r\n") == nil {
			}
		}, 0, "the header of the answer is too large"},
		{"drips its body", func(c net.Conn) {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
			for write(c, "a") == nil {
				<-time.After(20 * time.Millisecond)
			}
		}, 200, ""},
		{"never ends its body", func(c net.Conn) {
			write(c, "HTTP/1.1 200 OK\r\n\r\n")
			for write(c, strings.Repeat("a", 1<<16)) == nil {
			}
		}, 200, ""},
		{"sends a huge header", func(c net.Conn) {
			write(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 1<<20)+"\r\n\r\n")
		}, 0, "the header of the answer is too large"},
		{"switches protocols", func(c net.Conn) {
			write(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			io.Copy(io.Discard, c)
		}, 101, "status 101"},
		{"redirects", func(c net.Conn) {
			write(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
		}, 307, "status 307"},
		{"redirects to nonsense", func(c net.Conn) {
			write(c, "HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n")
		}, 302, "status 302"},
		{"resets", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, 0, "answer came"},
		{"closes", func(c net.Conn) {}, 0, "answer came"},
		{"resets amid the body", func(c net.Conn) {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
		}, 200, ""},
		{"speaks no HTTP", func(c net.Conn) { write(c, "SSH-2.0-OpenSSH_9.2\r\n") }, 0, "no valid HTTP answer came"},
		{"answers 999", func(c net.Conn) { write(c, "HTTP/1.1 999 Hm\r\nContent-Length: 0\r\n\r\n") }, 999, "status 999"},
		{"answers 099", func(c net.Conn) { write(c, "HTTP/1.1 099 Hm\r\nContent-Length: 0\r\n\r\n") }, 99, "status 99"},
		{"sends a bomb", func(c net.Conn) {
			write(c, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", bomb.Len()))
			c.Write(bomb.Bytes())
		}, 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := deliverOnce(t, rawServer(t, test.handle), nil)
			if a.Status != test.status || !strings.Contains(a.Error, test.fault) || (test.fault == "") != (a.Error == "") {
				t.Errorf("status %d, error %q; want %d, %q", a.Status, a.Error, test.status, test.fault)
			}
			if len(a.Answer) > 1024 {
				t.Errorf("%d bytes of the answer are kept", len(a.Answer))
			}
		})
	}
}

// A redirect is not followed: the message and its signature stay with the receiver
// they are for.
func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var followed atomic.Bool
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		a := deliverOnce(t, server.URL, nil)
		server.Close()
		other.Close()
		if a.Status != status || a.Error == "" || followed.Load() {
			t.Errorf("%d: recorded as %d %q, followed: %v", status, a.Status, a.Error, followed.Load())
		}
	}
}

func TestFaults(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{}
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	// Nobody can listen where a connection begins, as long as it is open: the port of a
	// listener that was closed could be another's by now.
	connection, err := net.Dial("tcp", plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	for _, test := range []struct{ url, fault string }{
		{"http://" + connection.LocalAddr().String() + "/", "the connection was refused"},
		{"http://name.invalid/", "the host name"},
		{secure.URL, "the TLS certificate was not accepted"},
		{strings.Replace(plain.URL, "http:", "https:", 1), "the TLS handshake failed"},
	} {
		if a := deliverOnce(t, test.url, nil); !strings.Contains(a.Error, test.fault) || a.Status != 0 {
			t.Errorf("%s: %d %q, want %q", test.url, a.Status, a.Error, test.fault)
		}
	}
}

// The answer is kept as one line of printable text of at most 1 KiB.
func TestAnswerIsKept(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"printable", "no room: 5 €, ü, 🙂", "no room: 5 €, ü, 🙂"},
		{"control characters", " a\r\nb\tc\x00d\x1b[31me\x7f\u202ef\u2028g\n", "a  b c d [31me  f g"},
		{"not UTF-8", "a\xff\xfeb", "a??b"},
		{"exactly 1 KiB", strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		{"longer", strings.Repeat("a", 1<<20), strings.Repeat("a", 1024)},
		{"cut within a character", strings.Repeat("€", 1000), strings.Repeat("€", 341) + "?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(503)
				io.WriteString(w, test.body)
			}))
			defer server.Close()
			if a := deliverOnce(t, server.URL, nil); a.Answer != test.want {
				t.Errorf("kept: %q, want %q", a.Answer, test.want)
			}
		})
	}
}

// A packed answer is not asked for, and not unpacked: what it would weigh then is the
// receiver's choice.
func TestAnswerIsNotUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Name = "as-it-came" // in the packed form only
	z.Write(bytes.Repeat([]byte("unpacked"), 1<<17))
	z.Close()
	accepted := make(chan []string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepted <- r.Header.Values("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}))
	defer server.Close()
	a := deliverOnce(t, server.URL, nil)
	if !strings.Contains(a.Answer, "as-it-came") || strings.Contains(a.Answer, "unpacked") {
		t.Errorf("kept: %q, want the beginning of the packed form", a.Answer)
	}
	if got := <-accepted; len(got) != 0 {
		t.Errorf("the request accepts %q", got)
	}
}

// When the status has come, reading the body takes a second at most.
func TestDrippingBodyIsCutOff(t *testing.T) {
	url := rawServer(t, func(c net.Conn) {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
		for write(c, "a") == nil {
			<-time.After(20 * time.Millisecond)
		}
	})
	a := deliverOnce(t, url, &dispatch.Options{Timeout: 15 * time.Second, Targets: anyTarget})
	if a.Status != 200 || a.Error != "" || !strings.HasPrefix(a.Answer, "aa") || a.Duration > 3*time.Second {
		t.Errorf("status %d, error %q, answer %q after %v; want 200 within about 1 s", a.Status, a.Error, a.Answer, a.Duration)
	}
}

// A receiver that keeps its connections open is called over the same one.
func TestConnectionsAreReused(t *testing.T) {
	var conns atomic.Int32
	arrived := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	store := memory.New()
	stop := runEngine(t, store, server.URL, &dispatch.Options{Targets: anyTarget})
	for age := range 20 {
		if err := store.Dispatch(t.Context(), update("1", age)); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		<-arrived
	}
	stop()
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for 20 deliveries about one record, want 1", n)
	}
}
