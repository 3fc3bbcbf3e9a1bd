package main

import (
	"bytes"
	"fmt"
)

// What a bar stands for, as its class in the chart's style.
const (
	barOurs  = "ours"
	barPeer  = "peer"
	barShare = "share" // of the host's own throughput, not of the bare loop's
)

// chartStyle has the colours for light and dark surroundings. The chart brings its own
// background, so that it can be read also where these are mistaken for each other.
const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 12px; fill: #59636e }
.card { fill: #ffffff; stroke: #d1d9e0 }
.grid { stroke: #d1d9e0 }
.one { stroke: #cf222e; stroke-dasharray: 5 3 }
.ours { fill: #0969da }
.share { fill: #1a7f37 }
.peer { fill: #9aa4af }
@media (prefers-color-scheme: dark) {
	text { fill: #e6edf3 }
	.small { fill: #9198a1 }
	.card { fill: #0d1117; stroke: #3d444d }
	.grid { stroke: #3d444d }
	.one { stroke: #ff7b72 }
	.ours { fill: #58a6ff }
	.share { fill: #3fb950 }
	.peer { fill: #6e7681 }
}
</style>
`

// chart draws the ratios as bars.
func chart(results []result) []byte {
	const (
		left   = 170
		top    = 92
		row    = 28
		width  = 520 // of the longest bar or of ratio 1, whichever is more
		margin = 70  // for the number behind it
	)
	longest := 1.0
	for _, r := range results {
		longest = max(longest, r.ratio)
	}
	x := func(ratio float64) float64 { return left + ratio/longest*width }
	bottom := top + row*len(results)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img">`+"\n",
		left+width+margin, bottom+44)
	const title = "Deliveries per second, as a share of a bare net/http client loop"
	fmt.Fprintf(&b, "<title>%s</title>\n%s", title, chartStyle)
	fmt.Fprintf(&b, `<rect class="card" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", left+width+margin-1, bottom+43)
	fmt.Fprintf(&b, `<text class="title" x="20" y="32">%s</text>`+"\n", title)
	at := 20
	for _, entry := range []struct{ class, says string }{
		{barOurs, "ringback"}, {barShare, "the throughput that a host keeps"}, {barPeer, "others"},
	} {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="47" width="12" height="12" rx="2"/>`, entry.class, at)
		fmt.Fprintf(&b, `<text class="small" x="%d" y="58">%s</text>`+"\n", at+18, entry.says)
		at += 48 + 7*len(entry.says)
	}
	for quarter := range int(longest*4) + 1 {
		ratio := float64(quarter) / 4
		class, label := "grid", fmt.Sprintf("%.2g", ratio)
		if quarter == 4 {
			class, label = "one", "1 = bare loop"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, class, x(ratio), x(ratio), top-12, bottom+6)
		fmt.Fprintf(&b, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(ratio), bottom+24, label)
	}
	for i, r := range results {
		y := top + i*row
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-10, y+14, r.name)
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="18" rx="2"/>`,
			bar(r.name), left, y, max(x(r.ratio)-left, 1))
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%.2f</text>`+"\n", max(x(r.ratio), left+1)+6, y+14, r.ratio)
	}
	fmt.Fprintln(&b, `</svg>`)
	return b.Bytes()
}

// bar returns what a contender's bar stands for.
func bar(name string) string {
	switch {
	case !ours(name):
		return barPeer
	case name == writePathName:
		return barShare
	}
	return barOurs
}
