package condition

import (
	"math"

	"github.com/dop251/goja"
)

// installStrings puts the methods of strings on their prototype. Only strings reach
// it, since objects have prototypes of their own.
func (r *realm) installStrings(t *taken) {
	original := t.methods[t.string]
	on := t.string
	// These make nothing, or a piece that shares memory with its string.
	for _, name := range []string{"at", "charAt", "charCodeAt", "codePointAt"} {
		r.method(on, name, original[name])
	}
	for _, name := range []string{"endsWith", "startsWith"} {
		r.method(on, name, func(call goja.FunctionCall) goja.Value {
			r.searched(call.Argument(0)) // no regular expression
			return original[name](call)
		})
	}
	for _, name := range []string{"slice", "substr", "substring"} {
		r.method(on, name, func(call goja.FunctionCall) goja.Value {
			part := original[name](call)
			r.charge(textSize(length(part)))
			return part
		})
	}
	// These make texts as long as their receiver, several of them on the way.
	for _, name := range []string{"toLowerCase", "toUpperCase", "trim", "trimEnd", "trimStart"} {
		r.method(on, name, func(call goja.FunctionCall) goja.Value {
			r.charge(2 * textSize(length(call.This)))
			return original[name](call)
		})
	}
	r.method(on, "toString", func(call goja.FunctionCall) goja.Value { return call.This })
	r.method(on, "includes", func(call goja.FunctionCall) goja.Value {
		return r.vm.ToValue(r.indexOf(call) >= 0)
	})
	r.method(on, "indexOf", func(call goja.FunctionCall) goja.Value { return r.vm.ToValue(r.indexOf(call)) })
	r.method(on, "lastIndexOf", r.lastIndexOf)
	r.method(on, "split", r.split)
	r.method(on, "match", r.match)
	r.method(on, "search", r.search)
}

// length returns the length of a text, 0 for anything else.
func length(v goja.Value) int {
	if s, ok := v.(goja.String); ok {
		return s.Length()
	}
	return 0
}

// receiver returns the string that a method was called on.
func (r *realm) receiver(call goja.FunctionCall) goja.String {
	s, ok := call.This.(goja.String)
	if !ok {
		r.typeError("a method of strings was called on something else")
	}
	return s
}

// toText converts a value as ToString does (ECMA-262, 7.1.17). goja's ToString leaves
// numbers as they are.
func (r *realm) toText(v goja.Value) goja.String {
	switch s := v.ToString().(type) {
	case goja.String:
		return s
	default:
		return r.str(s.String())
	}
}

// searched returns an argument as the text to look for. JavaScript refuses regular
// expressions there, lest somebody believes that they match.
func (r *realm) searched(v goja.Value) goja.String {
	if r.patternOf(v) != nil {
		r.typeError("includes, indexOf, split and the like take text: use match or test with a regular expression")
	}
	return r.toText(v)
}

// indexOf implements String.prototype.indexOf (ECMA-262, 22.1.3.9).
func (r *realm) indexOf(call goja.FunctionCall) int {
	text, sought := r.receiver(call), r.searched(call.Argument(0))
	start := min(max(integer(call.Argument(1)), 0), text.Length())
	return r.newFinder(text, sought).next(start)
}

// lastIndexOf implements String.prototype.lastIndexOf (ECMA-262, 22.1.3.11).
func (r *realm) lastIndexOf(call goja.FunctionCall) goja.Value {
	text, sought := r.receiver(call), r.searched(call.Argument(0))
	last := text.Length() - sought.Length()
	if position := call.Argument(1).ToNumber(); !goja.IsNaN(position) {
		last = min(last, max(integer(position), 0))
	}
	return r.vm.ToValue(r.newFinder(text, sought).last(last))
}

// mostParts is how many parts split makes.
const mostParts = 10000

// split implements String.prototype.split (ECMA-262, 22.1.3.23) for separators that
// are text.
func (r *realm) split(call goja.FunctionCall) goja.Value {
	text, separator := r.receiver(call), r.searched(call.Argument(0))
	most := math.MaxInt
	if limit := call.Argument(1); !goja.IsUndefined(limit) {
		most = int(uint32(limit.ToInteger()))
	}
	if most == 0 {
		return r.vm.NewArray()
	}
	if goja.IsUndefined(call.Argument(0)) {
		return r.vm.NewArray(text)
	}
	var parts []any
	add := func(from, to int) bool {
		if len(parts) == mostParts {
			r.fail(outOfMemory)
		}
		r.charge(textSize(to-from) + listItem)
		parts = append(parts, text.Substring(from, to))
		return len(parts) < most
	}
	from, finder := 0, r.newFinder(text, separator)
	if separator.Length() == 0 {
		for ; from < text.Length() && add(from, from+1); from++ {
		}
		return r.vm.NewArray(parts...)
	}
	for {
		i := finder.next(from)
		if i < 0 {
			add(from, text.Length())
			return r.vm.NewArray(parts...)
		}
		if !add(from, i) {
			return r.vm.NewArray(parts...)
		}
		from = i + separator.Length()
	}
}

// integer converts an argument as ToIntegerOrInfinity does, within the range of
// lengths.
func integer(v goja.Value) int {
	f := v.ToFloat()
	switch {
	case math.IsNaN(f):
		return 0
	case f > math.MaxInt32:
		return math.MaxInt32
	case f < math.MinInt32:
		return math.MinInt32
	}
	return int(f)
}
