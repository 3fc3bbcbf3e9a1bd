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
	"syscall"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// A config is what the flags say.
type config struct {
	rounds         int
	seconds        float64 // of each measurement
	only           []string
	chart          string
	profile        string
	growth, memory bool
}

func parseConfig(args []string) (config, error) {
	c := config{rounds: 5, seconds: 3}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "end within 50 seconds")
	only := flags.String("only", "", "comma-separated `names` of contenders")
	flags.IntVar(&c.rounds, "rounds", c.rounds, "rounds; the median counts")
	flags.Float64Var(&c.seconds, "seconds", c.seconds, "about how long each contender runs in a round")
	flags.StringVar(&c.chart, "chart", "", "write a chart to this SVG `file`")
	flags.StringVar(&c.profile, "profile", "", "write a CPU profile to this `file`")
	flags.BoolVar(&c.growth, "growth", false, "measure how the cost grows, instead of the contenders")
	flags.BoolVar(&c.memory, "memory", false, "measure the memory of an idle host, instead of the contenders")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if *quick {
		c.rounds, c.seconds = 3, 0.9
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
	b, err := newBench(ctx, config.seconds, out)
	if err != nil {
		return err
	}
	defer b.close()
	stopProfile, err := startProfile(config.profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	if !config.growth && !config.memory {
		return b.compare(ctx, config)
	}
	if config.memory {
		if err := b.idleMemory(ctx, 3*time.Second); err != nil {
			return err
		}
	}
	if config.growth {
		return b.growth(ctx, largeSizes)
	}
	return nil
}

// compare measures the contenders and prints what they come to.
func (b *bench) compare(ctx context.Context, config config) error {
	began := time.Now()
	if _, err := b.bare(ctx); err != nil { // to warm up
		return err
	}
	if err := b.bracket(ctx); err != nil {
		return err
	}
	var results []result
	for _, c := range contenders() {
		if config.only != nil && !slices.Contains(config.only, c.name) {
			continue
		}
		r, err := b.measure(ctx, c, config.rounds)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(b.out, "%s is left out: %v\n", c.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	took := time.Since(began)
	fmt.Fprintf(b.out, "%d rounds in %.1f s: the bare loop %.1f s, the contenders %.1f s, their setting up and down %.1f s\n",
		config.rounds, took.Seconds(), b.bareTime.Seconds(), b.contenderTime.Seconds(),
		(took - b.bareTime - b.contenderTime).Seconds())
	report(b.out, medians(b.bares), results)
	if config.chart != "" {
		return os.WriteFile(config.chart, chart(results), 0o644)
	}
	return nil
}
