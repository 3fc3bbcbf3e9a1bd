package condition

import (
	"maps"
	"slices"
	"time"

	"github.com/dop251/goja"
	"github.com/ringback-dev/ringback/webhook"
)

// A record shows one state of a profile or subprofile, converting what is asked
// for. A nil state is an empty record.
type record struct {
	readOnly
	realm     *realm
	state     *webhook.Record
	id        string
	few       [4]fieldValue         // fields converted first
	values    map[string]goja.Value // and those after them
	object    *goja.Object
	fields    *goja.Object
	interests *goja.Object
}

// ownNames are the properties of a record that hide fields of the same name.
var ownNames = []string{"ID", "fields", "interests", "created", "modified"}

// field returns a field's value, nil where the record lacks it.
func (o *record) field(name string) goja.Value {
	for i := range o.few {
		if o.few[i].value != nil && o.few[i].name == name {
			return o.few[i].value
		}
	}
	if v, ok := o.values[name]; ok {
		return v
	}
	if o.state == nil {
		return nil
	}
	field, ok := o.state.Fields[name]
	if !ok {
		return nil
	}
	v := o.realm.value(field, 1)
	o.keep(name, v)
	return v
}

// A fieldValue is a field that has been converted.
type fieldValue struct {
	name  string
	value goja.Value
}

// keep notes what a field was converted to. An event needs a map only where its
// conditions ask for many fields.
func (o *record) keep(name string, v goja.Value) {
	for i := range o.few {
		if o.few[i].value == nil {
			o.few[i] = fieldValue{name, v}
			return
		}
	}
	if o.values == nil {
		o.values = make(map[string]goja.Value)
	}
	o.values[name] = v
}

// asObject returns the record as conditions see it.
func (o *record) asObject() *goja.Object {
	if o.object == nil {
		o.object = o.realm.newObject(o)
	}
	return o.object
}

// Get returns a property: one of the record's own, or else a field.
func (o *record) Get(name string) goja.Value {
	switch name {
	case "ID":
		if o.state == nil {
			return goja.Undefined()
		}
		return o.realm.vm.ToValue(o.id)
	case "fields":
		if o.fields == nil {
			o.fields = o.realm.newObject(fieldsObject{record: o})
		}
		return o.fields
	case "interests":
		if o.interests == nil {
			o.interests = o.realm.newList(o.list())
		}
		return o.interests
	case "created", "modified":
		if o.state == nil {
			return goja.Undefined()
		}
		if name == "created" {
			return o.timestamp(o.state.Created)
		}
		return o.timestamp(o.state.Modified)
	}
	return o.field(name)
}

func (o *record) list() *list {
	l := &list{realm: o.realm, named: true}
	if o.state != nil {
		l.texts = o.state.Interests
	}
	return l
}

// timestamp returns a time that may be absent.
func (o *record) timestamp(t time.Time) goja.Value {
	if t.IsZero() {
		return goja.Undefined()
	}
	return o.realm.time(t)
}

// Has reports whether there is such a property.
func (o *record) Has(name string) bool {
	return slices.Contains(ownNames, name) || o.state != nil && has(o.state.Fields, name)
}

// Keys returns the names of the properties.
func (o *record) Keys() []string {
	keys := slices.Clone(ownNames)
	for _, name := range (fieldsObject{record: o}).Keys() {
		if !slices.Contains(ownNames, name) {
			keys = append(keys, name)
		}
	}
	return keys
}

// A fieldsObject shows the fields of a record alone.
type fieldsObject struct {
	readOnly
	record *record
}

func (o fieldsObject) Get(name string) goja.Value { return o.record.field(name) }

func (o fieldsObject) Has(name string) bool {
	return o.record.state != nil && has(o.record.state.Fields, name)
}

func (o fieldsObject) Keys() []string {
	if o.record.state == nil {
		return nil
	}
	return sortedKeys(o.record.state.Fields)
}

func has(fields map[string]any, name string) bool { _, ok := fields[name]; return ok }

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
