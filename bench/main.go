// Command bench measures how fast callbacks are delivered, from the append of an event
// to the recorded attempt, as a share of what a bare net/http client loop reaches against
// the same receiver on the same machine at the same time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// producers is how many goroutines append, and how many the bare loop has.
const producers = 64

func main() {
	if len(os.Args) == 2 && os.Args[1] == receiverArg {
		if err := serveReceiver(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// A config is what the flags say.
type config struct {
	rounds  int
	seconds float64 // of each measurement
	only    []string
	chart   string
	profile string
}

func parseConfig(args []string) (config, error) {
	c := config{rounds: 5, seconds: 3}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "end within 50 seconds")
	only := flags.String("only", "", "comma-separated `names` of contenders")
	flags.IntVar(&c.rounds, "rounds", c.rounds, "rounds; the median counts")
	flags.Float64Var(&c.seconds, "seconds", c.seconds, "about how long each contender runs in a round")
	flags.StringVar(&c.chart, "chart", "", "write a chart to this SVG `file`")
	flags.StringVar(&c.profile, "profile", "", "write a CPU profile of the contenders to this `file`")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if *quick {
		c.rounds, c.seconds = 3, 0.7
	}
	if *only != "" {
		c.only = strings.Split(*only, ",")
	}
	for _, name := range c.only {
		if !slices.ContainsFunc(contenders(), func(x contender) bool { return x.name == name }) {
			return c, fmt.Errorf("there is no contender %q", name)
		}
	}
	if c.rounds < 1 || c.seconds <= 0 {
		return c, errors.New("-rounds and -seconds must be above 0")
	}
	return c, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	config, err := parseConfig(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	receiver, err := startReceiver(ctx)
	if err != nil {
		return err
	}
	defer receiver.stop()
	scratch, err := os.MkdirTemp("", "ringback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b := &bench{receiver: receiver, scratch: scratch, seconds: config.seconds, out: out}
	if b.bareRate, err = b.bare(ctx); err != nil { // to warm up, and to know the sizes
		return err
	}
	stopProfile, err := startProfile(config.profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	taking := contenders()
	if config.only != nil {
		taking = slices.DeleteFunc(taking, func(c contender) bool { return !slices.Contains(config.only, c.name) })
	}
	began := time.Now()
	var results []result
	for _, c := range taking {
		r, err := b.measure(ctx, c, config.rounds)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(out, "%s is left out: %v\n", c.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	fmt.Fprintf(out, "%d rounds in %.0f s, medians\n", config.rounds, time.Since(began).Seconds())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "contender\tratio\tper second\tCPU µs each\tallocations each\t")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.1f\t%.1f\t\n", r.name, r.ratio, r.perSecond, r.cpu, r.allocs)
	}
	table.Flush()
	for _, r := range results {
		fmt.Fprintln(out, r)
	}
	if config.chart != "" {
		return os.WriteFile(config.chart, chart(results), 0o644)
	}
	return nil
}
