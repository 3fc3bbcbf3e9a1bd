package webhook

import "slices"

// Changed returns the names of the fields of the record that changed, sorted:
// all of them for a create and for an update that does not say what was before,
// none for a delete. A field that is gone has changed.
func (e *Event) Changed() []string { return e.AppendChanged(nil) }

// AppendChanged appends what Changed returns to names, and takes no memory where they
// have room for it.
func (e *Event) AppendChanged(names []string) []string {
	if e.Action == ActionDelete {
		return names
	}
	start := len(names)
	fields := e.Record().Fields
	var before map[string]any
	if e.Action != ActionCreate && e.Previous != nil {
		before = e.Previous.Fields
	}
	for name, value := range fields {
		if old, had := before[name]; !had || !Equal(old, value) {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, has := fields[name]; !has {
			names = append(names, name)
		}
	}
	slices.Sort(names[start:])
	return names
}

// Parameters returns what the action set: the fields whose value changed, with
// their new values. The values are the event's own, not copies.
func (e *Event) Parameters() map[string]any {
	var buf [16]string
	changed := e.AppendChanged(buf[:0])
	set := make(map[string]any, len(changed))
	fields := e.Record().Fields
	for _, name := range changed {
		if value, ok := fields[name]; ok {
			set[name] = value
		}
	}
	return set
}
