package dispatch_test

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]dispatch.Options{
		"Concurrency":   {Concurrency: -1},
		"PerCallback":   {PerCallback: -1},
		"Probation":     {Probation: -1},
		"Timeout":       {Timeout: -1},
		"KeepDelivered": {KeepDelivered: -1},
		"KeepDead":      {KeepDead: -1},
		"Pauses":        {Retry: dispatch.Retry{Pauses: []time.Duration{-1}}},
		"Jitter":        {Retry: dispatch.Retry{Jitter: 2}},
		"AllowPorts":    {Targets: dispatch.Targets{AllowPorts: []uint16{0}}},
		"AllowHosts":    {Targets: dispatch.Targets{AllowHosts: []string{"10.0.0.1"}}},
	} {
		if _, err := dispatch.New(nopStore{}, &o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v does not name the option", name, err)
		}
	}
	for _, host := range []string{"", "*", "*.example.com", "::1", "example.com:80", "https://example.com", "bücher.example", "127.1"} {
		o := dispatch.Options{Targets: dispatch.Targets{AllowHosts: []string{"localhost", host}}}
		if _, err := dispatch.New(nopStore{}, &o); err == nil {
			t.Errorf("the host name %q is accepted", host)
		}
	}
	if _, err := dispatch.New(nil, nil); err == nil {
		t.Error("New accepts no store")
	}
}

type nopStore struct{ webhook.Store }

// Options are a value: what the caller does to its slices later is its own business.
func TestOptionsAreCopied(t *testing.T) {
	o := &dispatch.Options{
		Retry: dispatch.Retry{Pauses: []time.Duration{time.Minute}},
		Targets: dispatch.Targets{
			AllowPorts:   []uint16{443},
			AllowPrivate: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
			AllowHosts:   []string{"a.internal"},
		},
	}
	engine := mustEngine(t, o)
	o.Retry.Pauses[0] = 0
	o.Targets.AllowPorts[0] = 22
	o.Targets.AllowHosts[0] = "b.internal"
	o.Targets.AllowPrivate[0] = netip.MustParsePrefix("127.0.0.0/8")
	for url, want := range map[string]bool{
		"https://example.com/":    true,
		"https://example.com:22/": false,
		"https://10.1.2.3/":       true,
		"https://127.0.0.1/":      false,
	} {
		if err := engine.Check(t.Context(), webhook.Callback{Database: "788", URL: url}); (err == nil) != want {
			t.Errorf("%s: %v, want accepted: %v", url, err, want)
		}
	}
	if got := engine.Options().Targets.AllowHosts[0]; got != "a.internal" {
		t.Errorf("the host has become %s", got)
	}
	if got := engine.Options().Retry.Pauses[0]; got != time.Minute {
		t.Errorf("the pause has become %v", got)
	}
}

// Whatever option is set survives the filling in of the others.
func TestOptionsSurviveDefaults(t *testing.T) {
	var set func(path string, index []int, of reflect.Type)
	set = func(path string, index []int, of reflect.Type) {
		for i := range of.NumField() {
			field, index := of.Field(i), append(index[:len(index):len(index)], i)
			if field.Type.Kind() == reflect.Struct {
				set(path+field.Name+".", index, field.Type)
				continue
			}
			var o dispatch.Options
			value := reflect.ValueOf(sample(t, path+field.Name, field.Type))
			reflect.ValueOf(&o).Elem().FieldByIndex(index).Set(value)
			kept := mustEngine(t, &o).Options()
			if got := reflect.ValueOf(kept).FieldByIndex(index); !same(got, value) {
				t.Errorf("%s%s: %v has become %v", path, field.Name, value, got)
			}
		}
	}
	set("", nil, reflect.TypeFor[dispatch.Options]())
}

// same reports whether two options are equal; functions are when they are the same.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Func {
		return a.Pointer() == b.Pointer()
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// sample returns a valid value of an option that is not its default.
func sample(t *testing.T, name string, of reflect.Type) any {
	t.Helper()
	for _, value := range []any{
		7, 0.5, true, 7 * time.Millisecond, []time.Duration{7}, []uint16{7}, []string{"name"}, dispatch.AllAddresses(),
		slog.Default(), func(webhook.Attempt) bool { return true }, func(context.Context, webhook.Callback) {},
	} {
		if reflect.TypeOf(value) == of {
			return value
		}
	}
	t.Fatalf("%s: the test knows no %v", name, of)
	return nil
}

// Whatever option is not set has a default, but for hooks. Of Targets and Conditions zero
// is the strict one.
func TestOptionsHaveDefaults(t *testing.T) {
	options := reflect.ValueOf(mustEngine(t, nil).Options())
	for i := range options.NumField() {
		name := options.Type().Field(i).Name
		if options.Field(i).IsZero() && options.Field(i).Kind() != reflect.Func && name != "Targets" && name != "Conditions" {
			t.Errorf("%s has no default", name)
		}
	}
	want := dispatch.Retry{Pauses: dispatch.DefaultPauses(), Jitter: 0.2}
	if got := mustEngine(t, nil).Options().Retry; !reflect.DeepEqual(got, want) {
		t.Errorf("Retry is %v, want %v", got, want)
	}
}
