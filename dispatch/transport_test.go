package dispatch_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// A proxy in the environment would see every message, and be all that the check of
// addresses sees. Go reads the environment once in a process, so that the test starts
// another one.
func TestNoProxy(t *testing.T) {
	const child = "DISPATCH_TEST_PROXY"
	if os.Getenv(child) != "" {
		if a := deliverOnce(t, "http://receiver.invalid/", nil); a.Status != 0 {
			t.Errorf("a host that does not exist answered %d", a.Status)
		}
		return
	}
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "-test.run=^TestNoProxy$")
	command.Env = append(os.Environ(), child+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if output, err := command.CombinedOutput(); err != nil || !bytes.Contains(output, []byte("PASS")) {
		t.Errorf("%v: %s", err, output)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
}

// Of a receiver that speaks later versions of HTTP too, the first is used: its
// connections carry one request at a time.
func TestOnlyHTTP1(t *testing.T) {
	var protocol atomic.Value
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol.Store(r.Proto) })
	plain := httptest.NewUnstartedServer(handler)
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetHTTP1(true)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	defer plain.Close()
	if a := deliverOnce(t, plain.URL, nil); a.Status != 200 || protocol.Load() != "HTTP/1.1" {
		t.Errorf("called with %v: %d %q", protocol.Load(), a.Status, a.Error)
	}

	offered := make(chan []string, 1)
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- hello.SupportedProtos
		return nil, nil
	}}
	secure.StartTLS()
	defer secure.Close()
	deliverOnce(t, secure.URL, &dispatch.Options{Targets: anyTarget, Timeout: 5 * time.Second})
	if got := <-offered; !slices.Equal(got, []string{"http/1.1"}) {
		t.Errorf("over TLS, %q are offered", got)
	}
}

// What a receiver sends never reaches the host's standard log: not even what comes after
// the end of an answer, when nobody asked.
func TestReceiversDoNotWriteLogs(t *testing.T) {
	var book logbook
	log.SetOutput(&book)
	defer log.SetOutput(os.Stderr)
	for _, answer := range []string{
		"HTTP/1.1 204 No Content\r\n\r\nwritten by the receiver",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nwritten by the receiver",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nwritten by the receiver",
		"written by the receiver\r\n\r\n",
	} {
		closed := make(chan struct{})
		url := rawServer(t, func(c net.Conn) {
			defer close(closed)
			write(c, answer)
			io.Copy(io.Discard, c) // until the engine closes it
		})
		deliverOnce(t, url, nil)
		<-closed
	}
	if n := book.Count(""); n > 1 {
		t.Errorf("the standard log holds: %s", book.text.String())
	}
}

// A connection that dies under a request costs that attempt: the request is not sent a
// second time within it, for the first may have been received.
func TestNoSilentRepeat(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ids := make(chan string, 10)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(c)
			for n := 1; ; n++ {
				request, err := http.ReadRequest(reader)
				if err != nil {
					break
				}
				io.Copy(io.Discard, request.Body)
				ids <- request.Header.Get("webhook-id")
				if n == 2 {
					break // without an answer
				}
				write(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
			c.Close()
		}
	}()
	store := &settledStore{Store: memory.New(), settled: make(chan webhook.Outcome, 1)}
	stop := runEngine(t, store, "http://"+listener.Addr().String()+"/", &dispatch.Options{
		Targets: anyTarget, Retry: dispatch.Retry{Pauses: []time.Duration{}},
	})
	for age, want := range []webhook.DeliveryState{webhook.DeliveryDelivered, webhook.DeliveryDead} {
		if err := store.Dispatch(t.Context(), update("1", age)); err != nil {
			t.Fatal(err)
		}
		if o := <-store.settled; o.State != want {
			t.Errorf("delivery %d is %s, want %s", age, o.State, want)
		}
	}
	stop()
	listener.Close()
	<-served
	close(ids)
	var got []string
	for id := range ids {
		got = append(got, id)
	}
	if len(got) != 2 || got[0] == got[1] {
		t.Errorf("requests: %q, want one for each of two attempts", got)
	}
}

// Receivers that take a connection and then never shake hands cost no connection beyond
// the attempt, while the engine goes on running.
func TestSilentTLS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const attempts = 4 // before each from the third on there is a longer pause
	closed := make(chan struct{}, attempts)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c) // until the engine closes it
				c.Close()
				closed <- struct{}{}
			}()
		}
	}()
	defer listener.Close()
	store := &settledStore{Store: memory.New(), settled: make(chan webhook.Outcome, attempts)}
	stop := runEngine(t, store, "https://"+listener.Addr().String()+"/", &dispatch.Options{
		Timeout: 100 * time.Millisecond, Targets: anyTarget, Retry: dispatch.Retry{Pauses: []time.Duration{}},
	})
	defer stop()
	for i := range attempts {
		if err := store.Dispatch(t.Context(), update(strconv.Itoa(i+1), 1)); err != nil {
			t.Fatal(err)
		}
	}
	for range attempts {
		if o := <-store.settled; o.Attempt == nil || o.Attempt.Status != 0 {
			t.Errorf("settled: %+v", o)
		}
	}
	late := time.After(5 * time.Second)
	for i := range attempts {
		select {
		case <-closed:
		case <-late:
			t.Fatalf("%d connections are still open", attempts-i)
		}
	}
}

// runEngine runs an engine with one callback, for the URL, until stop is called.
func runEngine(t *testing.T, store webhook.Store, url string, o *dispatch.Options) (stop func()) {
	t.Helper()
	engine, err := dispatch.New(store, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: url}.WithDefaults(), 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// An attempt on a connection that was kept allocates little.
func TestAttemptAllocations(t *testing.T) {
	engine, c := attemptable(t)
	ctx := context.Background()
	n := testing.AllocsPerRun(1000, func() {
		if a := engine.Attempt(ctx, c); a.Status != 200 || a.Answer != "ok" {
			t.Errorf("%+v", a)
		}
	})
	// The time, the signature and the answer's text are 3. The race detector lets go of
	// what is pooled.
	if n > 6 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkAttempt makes attempts on kept connections, one at a time and many at a time.
func BenchmarkAttempt(b *testing.B) {
	engine, c := attemptable(b)
	ctx := context.Background()
	attempt := func() {
		if a := engine.Attempt(ctx, c); a.Error != "" {
			b.Error(a.Error)
		}
	}
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			attempt()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				attempt()
			}
		})
	})
}

// attemptable returns an engine and a delivery to a receiver that answers every write.
func attemptable(t testing.TB) (*dispatch.Engine, *webhook.Claimed) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				request := make([]byte, 4<<10) // it comes whole
				answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				for {
					if _, err := c.Read(request); err != nil {
						return
					}
					c.Write(answer)
				}
			})
		}
	})
	engine, err := dispatch.New(memory.New(), &dispatch.Options{Targets: anyTarget})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		engine.CloseIdle()
		listener.Close()
		conns.Wait()
	})
	return engine, &webhook.Claimed{
		Delivery: webhook.Delivery{ID: "e1_21", Callback: "21", Method: webhook.MethodJSON, Encoding: webhook.EncodingBody},
		To:       &webhook.Callback{URL: "http://" + listener.Addr().String() + "/hooks/1?a=b", Secret: signature.NewSecret()},
		Message:  bytes.Repeat([]byte("a"), 600),
	}
}
