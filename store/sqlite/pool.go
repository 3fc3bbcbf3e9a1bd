package sqlite

import (
	"context"
	"errors"
	"fmt"
)

var errClosed = errors.New("the store is closed")

// A pool is a few connections that only read. They are opened when they are needed.
type pool struct {
	source string
	free   chan *conn // a place for each, nil while it is not open
	closed chan struct{}
}

// newPool returns a pool of so many connections.
func newPool(source string, size int) *pool {
	p := &pool{source: source, free: make(chan *conn, size), closed: make(chan struct{})}
	for range size {
		p.free <- nil
	}
	return p
}

// borrow calls use with a connection.
func (p *pool) borrow(ctx context.Context, use func(*conn) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.closed:
		return errClosed
	default:
	}
	var c *conn
	select {
	case c = <-p.free:
	case <-p.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.free <- c }()
	if c == nil {
		if c, err = connect(p.source); err != nil {
			return err
		}
	}
	return use(c)
}

// close waits for those in use and ends them all.
func (p *pool) close() error {
	close(p.closed)
	var errs []error
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}

// read runs queries that see the database as of one moment, and names what failed.
func (p *pool) read(ctx context.Context, what string, work func(tx) error) error {
	err := p.borrow(ctx, func(c *conn) error {
		if err := c.run(context.Background(), "BEGIN"); err != nil { // waits for nothing
			return err
		}
		// It has written nothing, and an error says that it has ended already.
		defer func() { _ = c.run(context.Background(), "ROLLBACK") }()
		return work(tx{ctx, c})
	})
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return nil
}
