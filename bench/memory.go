package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryOf returns a size that the system notes of a process, in megabytes, and whether
// it notes any: VmRSS is what it has in memory, VmHWM the most that was.
func memoryOf(process, size string) (megabytes float64, ok bool) {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(status), "\n"+size+":")
	kibibytes, _, _ := strings.Cut(rest, " kB\n")
	n, err := strconv.Atoi(strings.TrimSpace(kibibytes))
	return float64(n) / 1024, err == nil
}

// forgetPeak lets this process's VmHWM begin anew, and reports whether the system can.
func forgetPeak() bool { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) == nil }

// idleMemory prints what the example of a database product has in memory a while after
// it was started, when it has nothing to do.
func (b *bench) idleMemory(ctx context.Context, idle time.Duration) error {
	const name = "crm-idle"
	program := filepath.Join(b.scratch, "crm")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/ringback-dev/ringback/examples/crm")
	if out, err := build.CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
		fmt.Fprintf(b.out, "%s is left out: %v\n", name, err)
		return nil
	} else if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	child := exec.CommandContext(ctx, program, "-listen", "127.0.0.1:0", "-db", filepath.Join(b.scratch, "crm.db"))
	child.Stderr = os.Stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	defer child.Wait()
	defer child.Process.Kill()
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil { // it listens
		return fmt.Errorf("%s does not start: %w", name, err)
	}
	select {
	case <-time.After(idle):
	case <-ctx.Done():
		return ctx.Err()
	}
	megabytes, ok := memoryOf(strconv.Itoa(child.Process.Pid), "VmRSS")
	if !ok {
		fmt.Fprintf(b.out, "MEMORY name=%s mb=unknown\n", name)
		return nil
	}
	fmt.Fprintf(b.out, "MEMORY name=%s mb=%.1f\n", name, megabytes)
	return nil
}
