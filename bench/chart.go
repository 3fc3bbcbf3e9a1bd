package main

import (
	"bytes"
	"fmt"
)

// chart draws the ratios as bars.
func chart(results []result) []byte {
	const (
		row   = 26
		left  = 170
		width = 420 // of ratio 1
	)
	var b bytes.Buffer
	height := row*len(results) + 50
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n",
		left+width*5/4+70, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(&b, `<text x="10" y="20">Deliveries per second, as a share of a bare HTTP client loop</text>`+"\n")
	for i, r := range results {
		y := 34 + i*row
		colour := "#2b6cb0"
		if !ours(r.name) {
			colour = "#a0aec0"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+15, r.name)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.0f" height="18" fill="%s"/>`+"\n", left, y+1, max(r.ratio*width, 1), colour)
		fmt.Fprintf(&b, `<text x="%.0f" y="%d">%.2f</text>`+"\n", left+max(r.ratio*width, 1)+6, y+15, r.ratio)
	}
	fmt.Fprintf(&b, `<line x1="%d" y1="30" x2="%d" y2="%d" stroke="#718096" stroke-dasharray="4"/>`+"\n",
		left+width, left+width, height-10)
	fmt.Fprintln(&b, `</svg>`)
	return b.Bytes()
}
