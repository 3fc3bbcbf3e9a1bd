// Command quickstart does the whole job in one run: callbacks are registered over
// HTTP, a record is changed in SQL transactions, a receiver gets its POSTs.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
	"golang.org/x/sync/errgroup"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	// A host with a database of its own.
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite3", "file:"+dir+"/host.db?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close()

	// What it adds: a store in the same file, an engine, and the API on its mux.
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	engine, err := dispatch.New(store, &dispatch.Options{ // loopback is refused by default
		Targets: dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
	})
	if err != nil {
		return err
	}
	everybody := func(*http.Request, webhook.Scope) error { return nil }
	api, err := httpapi.New(store, engine, everybody, nil)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	host := httptest.NewServer(mux)
	defer host.Close()
	running, stop := context.WithCancel(ctx)
	var background errgroup.Group
	background.Go(func() error { return engine.Run(running) })
	defer func() { stop(); background.Wait() }()

	// A third party. Its answer, 200, says that it has the message.
	arrived := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // no answer: the message comes again
		}
		arrived <- fmt.Sprintf("POST %s, %s\n%s\n", r.URL.Path, r.Header.Get("Content-Type"), body)
	}))
	defer receiver.Close()
	client := http.Client{Timeout: 10 * time.Second}
	for _, callback := range []string{
		`{"url":"` + receiver.URL + `/all"}`,
		`{"url":"` + receiver.URL + `/apple","expression":"company == 'Apple' && old.company != company"}`,
		`{"url":"` + receiver.URL + `/deleted","method":"xml","action":"delete"}`,
	} {
		answer, err := client.Post(host.URL+"/database/788/callbacks", "application/json", strings.NewReader(callback))
		if err != nil {
			return err
		}
		answer.Body.Close()
		fmt.Fprintf(out, "registered at %s: %s\n", answer.Header.Get("Location"), callback)
		if answer.StatusCode != http.StatusCreated {
			return errors.New("not registered: " + answer.Status)
		}
	}

	// Each change and its event are one transaction. The third is rolled back.
	change := func(query string, event webhook.Event, end func(*sql.Tx) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // of no effect after the commit
		fmt.Fprintln(out, query)
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
		if err := store.InTx(tx).Dispatch(ctx, event); err != nil {
			return err
		}
		return end(tx)
	}
	commit, rollback := (*sql.Tx).Commit, (*sql.Tx).Rollback
	record := func(company string) webhook.Record {
		return webhook.Record{ID: "1", Fields: map[string]any{"company": company}}
	}
	microsoft, apple, lemon := record("Microsoft"), record("Apple"), record("Lemon")
	if err := errors.Join(
		change(`CREATE TABLE profiles (id, company); INSERT INTO profiles VALUES (1, 'Microsoft')`,
			webhook.Event{Action: webhook.ActionCreate, Database: "788", Profile: microsoft}, commit),
		change(`UPDATE profiles SET company = 'Apple'`,
			webhook.Event{Action: webhook.ActionUpdate, Database: "788", Profile: apple, Previous: &microsoft}, commit),
		change(`UPDATE profiles SET company = 'Lemon' -- to be rolled back`,
			webhook.Event{Action: webhook.ActionUpdate, Database: "788", Profile: lemon, Previous: &apple}, rollback),
		change(`DELETE FROM profiles`,
			webhook.Event{Action: webhook.ActionDelete, Database: "788", Profile: apple}, commit),
	); err != nil {
		return err
	}

	// Messages about one record keep their order: /all would hear of the third change before the fourth.
	for n := range 5 { // three to /all, one to /apple, one to /deleted
		select {
		case message := <-arrived:
			fmt.Fprintln(out, message)
			if strings.Contains(message, "Lemon") {
				return errors.New("this change was rolled back")
			}
		case <-ctx.Done():
			return fmt.Errorf("%d messages of 5 have arrived: %w", n, ctx.Err())
		}
	}
	fmt.Fprintln(out, "All five messages have arrived, and none of the change that was rolled back.")
	stop()
	return background.Wait()
}
