package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
)

// A config is what the flags say.
type config struct {
	listen       string
	db           string
	allowPrivate bool
	retryBase    time.Duration
	conditions   string
	// operatorToken is what operators send as their bearer token; empty: there are none.
	operatorToken string
}

// What conditions may be.
const (
	expressions = "expression"
	scripts     = "script"
)

// parseConfig parses the flags. What is wrong with them has been written to usage
// when it returns an error.
func parseConfig(args []string, usage io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("crm", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&c.db, "db", "crm.db", "database `file`, created when missing")
	flags.BoolVar(&c.allowPrivate, "allow-private", false, "let callbacks go to private addresses and to any port")
	flags.DurationVar(&c.retryBase, "retry-base", dispatch.DefaultPauses()[0],
		"pause before the first retry; the later ones change in proportion")
	flags.StringVar(&c.conditions, "conditions", expressions,
		"`kind` of conditions: "+expressions+", or "+scripts+", which is whole JavaScript and for trusted authors only")
	flags.StringVar(&c.operatorToken, "operator-token", "",
		"bearer `token` of those who may purge records; without one nobody may")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case c.db == "":
		err = errors.New("-db names no file")
	case c.retryBase <= 0:
		err = errors.New("-retry-base must be above 0")
	case c.conditions != expressions && c.conditions != scripts:
		err = fmt.Errorf("-conditions is %q, use %s or %s", c.conditions, expressions, scripts)
	}
	if err != nil {
		fmt.Fprintln(usage, err)
		flags.Usage()
	}
	return c, err
}

// dispatchOptions are the library's defaults, but for what the flags say.
func (c *config) dispatchOptions() *dispatch.Options {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: scale(dispatch.DefaultPauses(), c.retryBase)}}
	if c.allowPrivate {
		o.Targets = dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true}
	}
	o.Conditions.Scripts = c.conditions == scripts
	return o
}

// scale returns the pauses in the same proportion to each other, the first being
// base.
func scale(pauses []time.Duration, base time.Duration) []time.Duration {
	factor := float64(base) / float64(pauses[0])
	scaled := make([]time.Duration, len(pauses))
	for i, pause := range pauses {
		scaled[i] = math.MaxInt64
		if longer := float64(pause) * factor; longer < math.MaxInt64 {
			scaled[i] = time.Duration(longer)
		}
	}
	return scaled
}
