package webhook

import (
	"maps"
	"slices"
)

// Changed returns the names of the fields of the record that changed, sorted:
// all of them for a create and for an update that does not say what was before,
// none for a delete. A field that is gone has changed.
func (e *Event) Changed() []string {
	var names []string
	for name := range e.changed() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Parameters returns what the action set: the fields whose value changed, with
// their new values. The values are the event's own, not copies.
func (e *Event) Parameters() map[string]any {
	set := make(map[string]any)
	fields := e.Record().Fields
	for name := range e.changed() {
		if value, ok := fields[name]; ok {
			set[name] = value
		}
	}
	return set
}

// changed yields the names of the changed fields, in no order.
func (e *Event) changed() func(yield func(string) bool) {
	fields := e.Record().Fields
	switch {
	case e.Action == ActionDelete:
		return func(func(string) bool) {}
	case e.Action == ActionCreate || e.Previous == nil:
		return maps.Keys(fields)
	}
	before := e.Previous.Fields
	return func(yield func(string) bool) {
		for name, value := range fields {
			old, had := before[name]
			if had && Equal(old, value) {
				continue
			}
			if !yield(name) {
				return
			}
		}
		for name := range before {
			if _, has := fields[name]; !has && !yield(name) {
				return
			}
		}
	}
}
