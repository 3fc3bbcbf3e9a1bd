package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMain lets the test be the receiver, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == receiverArg {
		main()
		return
	}
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
