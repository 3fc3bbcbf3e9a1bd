package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestMain lets the test be the receiver, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == receiverArg {
		main()
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // receivers with the race detector end at once too
	os.Exit(m.Run())
}

// Every contender delivers everything, and says so in its line.
func TestContenders(t *testing.T) {
	for _, c := range contenders() {
		if c.name == "river-postgres" {
			continue // needs a server, which takes seconds to set up
		}
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			chart := filepath.Join(t.TempDir(), "chart.svg")
			err := run(t.Context(), []string{"-seconds", "0.02", "-rounds", "1", "-only", c.name, "-chart", chart}, &out)
			if err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			line := regexp.MustCompile(`(?m)^RESULT name=` + c.name +
				` ratio=\d+\.\d{3} per_second=\d+ cpu_us_per_delivery=\d+\.\d allocs_per_delivery=\d+\.\d$`)
			if !line.MatchString(out.String()) {
				t.Errorf("there is no line of the result in\n%s", &out)
			}
			drawn, err := os.ReadFile(chart)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(drawn), ">"+c.name+"<") {
				t.Errorf("the chart does not name it: %s", drawn)
			}
			if bytes.Contains(drawn, []byte("%!")) {
				t.Errorf("the chart is not what it is to be: %s", drawn)
			}
			for d := xml.NewDecoder(bytes.NewReader(drawn)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("the chart is not XML: %v", err)
				}
			}
		})
	}
}

// testBench returns a bench that measures shortly.
func testBench(t *testing.T, out io.Writer) *bench {
	b, err := newBench(t.Context(), 0.02, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// A first round that was far too short does not count; between two rounds there is one
// run of the bare loop.
func TestRounds(t *testing.T) {
	b := testBench(t, io.Discard)
	if err := b.bracket(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		first float64 // how long the first round is, in terms of the wanted length
		runs  int
	}{{1, 3}, {0.1, 4}} {
		runs, bares, sizes := 0, len(b.bares), []int(nil)
		c := contender{name: "fake", share: 1, run: func(ctx context.Context, r *round) error {
			runs++
			sizes = append(sizes, r.n)
			r.begin()
			err := r.produce(ctx, 1, func(ctx context.Context, from, _ int) error {
				return post(ctx, r.receiver.hook(), from, message(from))
			})
			r.end()
			r.took = time.Duration(b.seconds * float64(time.Second))
			if runs == 1 {
				r.took = time.Duration(test.first * float64(r.took))
			}
			return err
		}}
		if _, err := b.measure(t.Context(), c, 3); err != nil {
			t.Fatal(err)
		}
		if bares = len(b.bares) - bares; runs != test.runs || bares != 3 {
			t.Errorf("%v: %d runs and %d of the bare loop, want %d and 3", test.first, runs, bares, test.runs)
		}
		if want := int(200 / test.first); sizes[1] < want-1 || sizes[1] > want+1 {
			t.Errorf("%v: the rounds have the sizes %v, want %d from the second on", test.first, sizes, want)
		}
	}
}

// The costs of growing are measured, here on something small.
func TestGrowth(t *testing.T) {
	var out bytes.Buffer
	b := testBench(t, &out)
	small := sizes{callbacks: 150, backlog: 1000, conditions: []int{1, 20}, rounds: 1, seconds: 0.02}
	if err := b.growth(t.Context(), small); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, line := range []string{
		`GROWTH name=registry-150 cost=\d+\.\d\d cpu=\d+\.\d\d`,
		`GROWTH name=backlog-1000 cost=\d+\.\d\d cpu=\d+\.\d\d`,
		`GROWTH name=conditions-1 ms_per_event=\d+\.\d+ cpu_ms_per_event=\d+\.\d+`,
		`GROWTH name=conditions-20 ms_per_event=\d+\.\d+ cpu_ms_per_event=\d+\.\d+ us_per_callback=-?\d+\.\d\d`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).Match(out.Bytes()) {
			t.Errorf("there is no line %s in\n%s", line, &out)
		}
	}
}

// What the backlog is made of waits, all of it, and not for a time that comes soon.
func TestBacklog(t *testing.T) {
	b := testBench(t, io.Discard)
	p, err := b.newPatient(t.Context(), 1, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	const n = 1200 * deadReceivers / 10
	if err := p.addBacklog(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, state := range []webhook.DeliveryState{webhook.DeliveryReady, webhook.DeliveryWaiting} {
		page, err := p.store.Deliveries(t.Context(), webhook.DeliveryQuery{State: state, Limit: 1, WithTotal: true})
		if err != nil {
			t.Fatal(err)
		}
		found += page.Total
	}
	if found != n {
		t.Errorf("%d deliveries wait, want %d", found, n)
	}
	worker, err := p.store.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := p.store.Claim(t.Context(), webhook.ClaimRequest{
		Worker: worker, Now: time.Now().Add(30 * time.Minute), Limit: 10, LimitBytes: 1 << 20,
	})
	if err != nil || len(claimed) > 0 {
		t.Errorf("%d of them are due within half an hour, %v", len(claimed), err)
	}
}

// The memory of an idle host is measured where the system tells it.
func TestMemory(t *testing.T) {
	var out bytes.Buffer
	b := testBench(t, &out)
	if err := b.idleMemory(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	want := `^MEMORY name=crm-idle mb=\d+\.\d\n$`
	if runtime.GOOS != "linux" {
		want = `^MEMORY name=crm-idle mb=unknown\n$`
	}
	if !regexp.MustCompile(want).Match(out.Bytes()) {
		t.Errorf("got %q, want %s", &out, want)
	}
}

// What does not arrive, or arrives twice, does not count.
func TestCheck(t *testing.T) {
	receiver, err := startReceiver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.stop()
	for _, numbers := range [][]int{{0, 1, 2}, {0, 1, 1, 2}, {0, 1, 2, 3}} {
		if err := receiver.reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, number := range numbers {
			if err := post(t.Context(), receiver.hook(), number, message(number)); err != nil {
				t.Fatal(err)
			}
		}
		err := receiver.check(t.Context(), 3)
		if want := fmt.Sprint(numbers) == "[0 1 2]"; (err == nil) != want {
			t.Errorf("%v: got %v", numbers, err)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "nobody"}, {"-rounds", "0"}, {"-seconds", "0"}} {
		if _, err := parseConfig(args); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}
