// Command crm is a small database product that embeds ringback: profiles, and
// subprofiles under them, in SQLite, changed over HTTP. Every change is told to
// the callbacks that are registered for it.
//
//	POST             /database/{id}/profiles                   201, Location: /profile/{id}
//	GET, PUT, DELETE /profile/{id}
//	POST             /profile/{id}/subprofiles/{collection}    201, Location: /subprofile/{id}
//	GET, PUT, DELETE /subprofile/{id}
//
// A body is {"fields":{},"interests":[]}, both optional. PUT changes the fields that
// it names; null is a value. DELETE of a profile deletes its subprofiles first. All
// other paths are the library's.
//
// A receiver that writes back because of a message sends the message's event and hops
// along, in the headers Ringback-Event and Ringback-Hops: that ends loops.
//
// It shows how a host embeds the library: serve puts the parts together, and
// (*crm).transaction makes each change and its events one transaction.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

func main() {
	c, err := parseConfig(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := serve(ctx, c, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "crm:", err)
		os.Exit(1)
	}
}

// serve runs the product until ctx ends, then finishes what is in flight.
func serve(ctx context.Context, c config, stdout io.Writer) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	db, err := openDatabase(ctx, c.db)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	options := c.dispatchOptions()
	options.Logger = logger
	options.OnDisable = logState(logger)
	engine, err := dispatch.New(store, options)
	if err != nil {
		return err
	}
	callbacks, err := httpapi.New(store, engine, authorize, &httpapi.Options{
		Operator:      operator(c.operatorToken),
		OnStateChange: logState(logger),
		Logger:        logger,
	})
	if err != nil {
		return err
	}

	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	product := &crm{db: db, store: store, logger: logger}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return engine.Run(ctx) })
	serveHTTP(ctx, group, listener, product.routes(callbacks))
	return group.Wait()
}

// authorize lets everybody do everything. A real host finds out who asks, from a
// session or an access token in r, and returns an error unless that user may
// manage the callbacks of the scope.
func authorize(*http.Request, webhook.Scope) error { return nil }

// serveHTTP adds to the group a server that accepts until ctx ends, and then
// answers what it has accepted.
func serveHTTP(ctx context.Context, group *errgroup.Group, listener net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if server.Shutdown(patience) != nil {
			return server.Close() // some client dawdles
		}
		return nil
	})
}
