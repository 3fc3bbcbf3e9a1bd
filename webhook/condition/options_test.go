package condition_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook/condition"
)

func TestOptions(t *testing.T) {
	for _, o := range []condition.Options{
		{Deadline: -1}, {Deadline: time.Second}, {MaxSource: -1}, {MaxSource: 1 << 20}, {MaxDepth: 1000}, {MaxNodes: -5},
		{MaxPattern: 1 << 20}, {MaxMemory: 1 << 30},
	} {
		if _, err := condition.New(&o); err == nil || !strings.Contains(err.Error(), "condition: Options.") {
			t.Errorf("New(%+v): %v, want an error that names the option", o, err)
		}
	}
	ev, err := condition.New(&condition.Options{MaxSource: 20, MaxDepth: 3, MaxNodes: 6, MaxPattern: 10})
	if err != nil {
		t.Fatal(err)
	}
	for source, allowed := range map[string]bool{
		"a == 1":               true,
		"a == 'twenty bytes…'": false,
		"((a))":                true,
		"((((a))))":            false,
		"a+b+c":                true,
		"a+b+c+d":              false,
		"/abc/.test(a)":        true,
		"/a{20}/.test(a)":      false,
		"!!a":                  true,
		"!!!a":                 false,
	} {
		if _, err := ev.Compile(source); (err == nil) != allowed {
			t.Errorf("Compile(%q): %v, want allowed %v", source, err, allowed)
		}
	}
}
