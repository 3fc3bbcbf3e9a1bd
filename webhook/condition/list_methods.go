package condition

import (
	"reflect"
	"strconv"

	"github.com/dop251/goja"
)

// listItem is the memory that an entry of a list takes, in bytes.
const listItem = 40

// installLists puts the methods of lists on their prototype: of those that events
// hold, which can be long, and of those that conditions write, which can't.
func (r *realm) installLists(t *taken) {
	for name, ours := range map[string]func(*list, goja.FunctionCall) goja.Value{
		"at": (*list).at, "includes": (*list).includes, "indexOf": (*list).indexOf,
		"lastIndexOf": (*list).lastIndexOf, "slice": (*list).slice,
	} {
		original := t.methods[t.list][name]
		r.method(t.list, name, func(call goja.FunctionCall) goja.Value {
			object := r.list(call)
			if object.ExportType() == listType { // Export would copy a list of another type
				return ours(object.Export().(*list), call)
			}
			return original(call)
		})
	}
	r.method(t.list, "join", func(call goja.FunctionCall) goja.Value {
		separator := r.str(",")
		if s := call.Argument(0); !goja.IsUndefined(s) {
			separator = r.toText(s)
		}
		return r.join(r.list(call), separator)
	})
	asText := func(call goja.FunctionCall) goja.Value { return r.join(r.list(call), r.str(",")) }
	r.method(t.list, "toString", asText)
	r.primitive(t.list, asText)
}

var listType = reflect.TypeFor[*list]()

// list returns the list that a method was called on.
func (r *realm) list(call goja.FunctionCall) *goja.Object {
	object, ok := call.This.(*goja.Object)
	if !ok || object.ClassName() != "Array" {
		r.typeError("a method of lists was called on something else")
	}
	return object
}

// str makes a value of a Go string.
func (r *realm) str(s string) goja.String { return r.vm.ToValue(s).(goja.String) }

// join implements Array.prototype.join (ECMA-262, 23.1.3.18). It counts before it
// makes anything: lists in lists with long separators grow exponentially.
func (r *realm) join(object *goja.Object, separator goja.String) goja.Value {
	var joined goja.StringBuilder
	n := int(object.Get("length").ToInteger())
	for i := range n {
		r.tick(i)
		if i > 0 {
			r.charge(2 * textSize(separator.Length()))
			joined.WriteString(separator)
		}
		if item := object.Get(strconv.Itoa(i)); item != nil && !goja.IsUndefined(item) && !goja.IsNull(item) {
			s := r.toText(item)
			r.charge(2*textSize(s.Length()) + listItem)
			joined.WriteString(s)
		}
	}
	return joined.String()
}

// at implements Array.prototype.at (ECMA-262, 23.1.3.1).
func (l *list) at(call goja.FunctionCall) goja.Value {
	i := integer(call.Argument(0))
	if i < 0 {
		i += l.Len()
	}
	if v := l.item(i); v != nil {
		return v
	}
	return goja.Undefined()
}

// includes implements Array.prototype.includes (ECMA-262, 23.1.3.16).
func (l *list) includes(call goja.FunctionCall) goja.Value {
	equal := l.equal(call.Argument(0)) // SameValueZero, since events hold no NaN
	for i := l.position(call.Argument(1), 0); i < l.Len(); i++ {
		if equal(i) {
			return l.realm.vm.ToValue(true)
		}
	}
	return l.realm.vm.ToValue(false)
}

// indexOf implements Array.prototype.indexOf (ECMA-262, 23.1.3.17).
func (l *list) indexOf(call goja.FunctionCall) goja.Value {
	equal := l.equal(call.Argument(0))
	for i := l.position(call.Argument(1), 0); i < l.Len(); i++ {
		if equal(i) {
			return l.realm.vm.ToValue(i)
		}
	}
	return l.realm.vm.ToValue(-1)
}

// lastIndexOf implements Array.prototype.lastIndexOf (ECMA-262, 23.1.3.20).
func (l *list) lastIndexOf(call goja.FunctionCall) goja.Value {
	last := l.Len() - 1
	if len(call.Arguments) > 1 {
		if from := integer(call.Argument(1)); from < 0 {
			last += from + 1
		} else {
			last = min(last, from)
		}
	}
	equal := l.equal(call.Argument(0))
	for i := last; i >= 0; i-- {
		if equal(i) {
			return l.realm.vm.ToValue(i)
		}
	}
	return l.realm.vm.ToValue(-1)
}

// slice implements Array.prototype.slice (ECMA-262, 23.1.3.28).
func (l *list) slice(call goja.FunctionCall) goja.Value {
	from, to := l.position(call.Argument(0), 0), l.position(call.Argument(1), l.Len())
	var items []any
	for i := from; i < to; i++ {
		l.realm.tick(i)
		l.realm.charge(2 * listItem)
		items = append(items, l.Get(i))
	}
	return l.realm.vm.NewArray(items...)
}

// position converts an argument that counts from the end when it is negative.
func (l *list) position(v goja.Value, otherwise int) int {
	if goja.IsUndefined(v) {
		return otherwise
	}
	i := integer(v)
	if i < 0 {
		return max(i+l.Len(), 0)
	}
	return min(i, l.Len())
}
