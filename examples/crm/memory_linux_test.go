package main_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// peakMemory returns the most that a running process has had in memory, in bytes.
func peakMemory(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	kibibytes, _, _ := strings.Cut(rest, " kB\n")
	n, err := strconv.Atoi(strings.TrimSpace(kibibytes))
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
