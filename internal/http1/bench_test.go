package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// echo answers requests without allocating, so that what is measured is the client's.
func echo(c net.Conn) {
	c.SetDeadline(time.Time{})
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 2\r\n\r\nok")
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if digits, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				for _, d := range bytes.TrimSpace(digits) {
					length = 10*length + int(d-'0')
				}
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// BenchmarkPost makes requests on kept connections, with this package and with
// net/http's Transport, one at a time and several at a time.
func BenchmarkPost(b *testing.B) {
	s := serve(b, echo)
	raw := s.URL.String() + "callbacks/1?a=b"
	u := mustParse(raw)
	body := []byte(strings.Repeat("a", 1<<10))
	target := to(u, http1.Field{Name: "Content-Type", Value: "application/json"}, http1.Field{Name: "User-Agent", Value: "ringback/1"})
	fields := []http1.Field{
		{Name: "Webhook-Id", Value: "e1_21"}, {Name: "Webhook-Timestamp", Value: "1700000000"},
		{Name: "Webhook-Signature", Value: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
	}
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"ringback/1"}}
	for _, f := range fields {
		header.Set(f.Name, f.Value)
	}
	client := newClient(b, http1.Options{MaxIdlePerHost: 64, Timeout: 15 * time.Second})
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	for _, way := range []struct {
		name string
		post func() error
	}{
		{"http1", func() error {
			_, err := client.Post(context.Background(), target, fields, body)
			return err
		}},
		{"nethttp", func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, raw, struct{ io.Reader }{bytes.NewReader(body)})
			if err != nil {
				return err
			}
			request.ContentLength = int64(len(body))
			request.Header = header
			response, err := transport.RoundTrip(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			_, err = io.ReadAll(io.LimitReader(response.Body, 64<<10))
			return err
		}},
	} {
		post := func(b *testing.B) {
			if err := way.post(); err != nil {
				b.Error(err)
			}
		}
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				post(b)
			}
		})
		b.Run(way.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					post(b)
				}
			})
		})
	}
}
