package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// secure starts a TLS server, whose certificate is for example.com and 127.0.0.1, and
// returns it with what a client needs to trust it.
func secure(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *tls.Config) {
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
}

// A receiver is called by HTTP/1.1 and under its name, over one connection; a later one
// resumes its session.
func TestTLS(t *testing.T) {
	states := make(chan tls.ConnectionState, 10)
	protocols := make(chan string, 10)
	s, config := secure(t, func(w http.ResponseWriter, r *http.Request) {
		states <- *r.TLS
		protocols <- r.Proto
		io.Copy(w, r.Body)
	})
	config.NextProtos = []string{"h2"}
	dialled := 0
	c := newClient(t, http1.Options{TLS: config, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled++
		if address != "example.com:443" {
			t.Errorf("dialled %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}})
	for n := range 4 {
		if n == 3 {
			c.CloseIdle()
		}
		if a := mustPost(t, c, mustParse("https://example.com/")); a.Status != 200 || a.Body != "body" {
			t.Errorf("%+v", a)
		}
		state := <-states
		if state.ServerName != "example.com" || state.NegotiatedProtocol != "http/1.1" || state.DidResume != (n == 3) {
			t.Errorf("request %d: name %q, protocol %q, resumed: %v", n, state.ServerName, state.NegotiatedProtocol, state.DidResume)
		}
		if p := <-protocols; p != "HTTP/1.1" {
			t.Error(p)
		}
	}
	if dialled != 2 || config.NextProtos[0] != "h2" || config.ClientSessionCache != nil {
		t.Errorf("%d connections; the caller's configuration: %v", dialled, config.NextProtos)
	}
}

func TestTLSErrors(t *testing.T) {
	s, config := secure(t, http.NotFound)
	plain := serve(t, func(c net.Conn) {
		write(c, "HTTP/1.1 400 RECEIVER\r\n\r\n")
		stall(c)
	})
	dial := func(address string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	untrusted := newClient(t, http1.Options{})
	var unknown x509.UnknownAuthorityError
	if _, err := post(t, untrusted, mustParse(s.URL), ""); !errors.As(err, &unknown) {
		t.Errorf("untrusted: %v", err)
	}
	var other x509.HostnameError
	trusted := newClient(t, http1.Options{TLS: config, Dial: dial(s.Listener.Addr().String())})
	if _, err := post(t, trusted, mustParse("https://example.org/"), ""); !errors.As(err, &other) {
		t.Errorf("another name: %v", err)
	}
	var header tls.RecordHeaderError
	_, err := post(t, untrusted, mustParse("https://"+plain.URL.Host+"/"), "")
	if !errors.As(err, &header) || strings.Contains(err.Error(), "RECEIVER") {
		t.Errorf("no TLS: %v", err)
	}
	eventually(t, "the connection is closed", func() bool { return plain.Open.Load() == 0 })
}

// The deadline bounds the handshake.
func TestSilentTLS(t *testing.T) {
	s := serve(t, stall)
	c := newClient(t, http1.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Post(ctx, to(mustParse("https://"+s.URL.Host+"/")), nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	eventually(t, "the connection is closed", func() bool { return s.Open.Load() == 0 })
}

// A receiver that does not read holds up nobody who closes its idle connection.
func TestTLSCloseWithoutReader(t *testing.T) {
	template, config := secure(t, http.NotFound)
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		c := http1.New(http1.Options{TLS: config, Dial: pipes(func(c net.Conn) {
			secured := tls.Server(c, template.TLS)
			readRequest(bufio.NewReader(secured))
			write(secured, empty)
			<-end // a pipe holds nothing: what is written waits for a reader
		})})
		mustPost(t, c, mustParse("https://127.0.0.1/"))
		began := time.Now()
		c.CloseIdle()
		if d := time.Since(began); d > time.Second {
			t.Errorf("took %v", d)
		}
		close(end)
	})
}

// gather lets several TLS records be sent with one write.
type gather struct {
	net.Conn
	on      bool
	written bytes.Buffer
}

func (g *gather) Write(p []byte) (int, error) {
	if g.on {
		return g.written.Write(p)
	}
	return g.Conn.Write(p)
}

func (g *gather) flush() {
	g.on = false
	g.SetWriteDeadline(time.Now().Add(20 * time.Second)) // CloseWrite has ended it
	g.Conn.Write(g.written.Bytes())
}

// What TLS has read but not been asked for is seen before a connection is used again.
func TestTLSDeadConnectionsAreNotUsed(t *testing.T) {
	template, config := secure(t, http.NotFound)
	for name, answer := range map[string]func(under *gather, c *tls.Conn){
		"closed with the answer": func(under *gather, c *tls.Conn) {
			under.on = true
			write(c, empty)
			c.CloseWrite()
			under.flush()
			stall(under.Conn)
		},
		"bytes after the answer": func(under *gather, c *tls.Conn) {
			under.on = true
			write(c, empty)
			write(c, "HTTP/1.1 500 Stale\r\n\r\n")
			under.flush()
			stall(under.Conn)
		},
		"half a record after the answer": func(under *gather, c *tls.Conn) {
			under.on = true
			write(c, empty)
			n := under.written.Len()
			write(c, "HTTP/1.1 500 Stale\r\n\r\n")
			under.written.Truncate(n + 10)
			under.flush()
			<-time.After(50 * time.Millisecond) // let the client be the first to act
		},
		"closed later": func(_ *gather, c *tls.Conn) {
			write(c, empty)
			c.CloseWrite()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(c net.Conn) {
				under := &gather{Conn: c}
				secured := tls.Server(under, template.TLS)
				if readRequest(bufio.NewReader(secured)) != nil {
					answer(under, secured)
				}
			})
			var dialled tap
			c := newClient(t, http1.Options{TLS: config, Dial: dialled.Dial})
			u := mustParse("https://" + s.URL.Host + "/")
			for n := int32(1); n <= 3; n++ {
				if a := mustPost(t, c, u); a.Status != 200 || s.Accepted.Load() != n {
					t.Errorf("request %d: %+v on connection %d", n, a, s.Accepted.Load())
				}
				if name != "closed with the answer" && name != "bytes after the answer" {
					eventually(t, "the connection has ended", func() bool { return hasCome(dialled.Last()) })
				}
			}
		})
	}
}
