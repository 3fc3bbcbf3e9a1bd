package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A result is the median of a contender's rounds.
type result struct {
	name  string
	ratio float64
	figures
}

func (r result) String() string {
	return fmt.Sprintf("RESULT name=%s ratio=%.3f per_second=%.0f cpu_us_per_delivery=%.1f allocs_per_delivery=%.1f",
		r.name, r.ratio, r.perSecond, r.cpu, r.allocs)
}

// report prints a table of the results, also as what is beyond the bare loop, and then
// the lines for programs.
func report(out io.Writer, bare figures, results []result) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tratio\tper second\tCPU µs each\tbeyond bare\tallocations each\tbeyond bare\tpeak MB\t")
	for _, r := range append([]result{{"bare", 1, bare}}, results...) {
		peak := "unknown"
		if r.peak > 0 {
			peak = fmt.Sprintf("%.0f", r.peak)
		}
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t\n",
			r.name, r.ratio, r.perSecond, r.cpu, r.cpu-bare.cpu, r.allocs, r.allocs-bare.allocs, peak)
	}
	table.Flush()
	for _, r := range results {
		fmt.Fprintln(out, r)
	}
}
