package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// poster is the client of the bare loop, and of the contenders that bring none of their
// own.
var poster = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: producers, DisableCompression: true}}

// post sends a message the way a job of a queue would.
func post(ctx context.Context, url string, number int, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set(idHeader, "e"+strconv.Itoa(number))
	response, err := poster.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver answers %s", response.Status)
	}
	return nil
}

// bare returns what the bare loop's requests come to.
func (b *bench) bare(ctx context.Context) (figures, error) {
	if err := b.receiver.reset(ctx); err != nil {
		return figures{}, err
	}
	body := message(0)
	length := time.Duration(b.seconds / 2 * float64(time.Second))
	m := startMeter()
	began := time.Now()
	var sent atomic.Int64
	var group errgroup.Group
	for range producers {
		group.Go(func() error {
			for time.Since(began) < length {
				if err := post(ctx, b.receiver.hook(), int(sent.Add(1)-1), body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return figures{}, err
	}
	m.stop()
	b.bareTime += m.took
	n := int(sent.Load())
	return m.figures(n), b.receiver.check(ctx, n)
}
