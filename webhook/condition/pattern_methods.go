package condition

import (
	"slices"

	"github.com/dop251/goja"
)

// installPatterns puts the methods of regular expressions on their prototype.
func (r *realm) installPatterns() {
	r.patterns = r.vm.CreateObject(nil)
	r.method(r.patterns, "test", func(call goja.FunctionCall) goja.Value {
		return r.vm.ToValue(r.thisPattern(call).find(r, r.sought(call)) != nil)
	})
	r.method(r.patterns, "exec", func(call goja.FunctionCall) goja.Value {
		return r.exec(r.thisPattern(call), r.sought(call))
	})
	asText := func(call goja.FunctionCall) goja.Value {
		p := r.thisPattern(call)
		return r.vm.ToValue("/" + p.source + "/" + p.flags)
	}
	r.method(r.patterns, "toString", asText)
	r.primitive(r.patterns, asText)
}

// A patternObject shows a regular expression to conditions.
type patternObject struct {
	readOnly
	pattern *pattern
	realm   *realm
}

func (o *patternObject) Get(name string) goja.Value {
	switch name {
	case "source":
		return o.realm.vm.ToValue(o.pattern.source)
	case "flags":
		return o.realm.vm.ToValue(o.pattern.flags)
	}
	return nil
}

func (o *patternObject) Has(name string) bool { return o.Get(name) != nil }
func (o *patternObject) Keys() []string       { return nil }

// newPattern makes the value of a literal. It has no state, so that one may serve all
// evaluations.
func (r *realm) newPattern(p *pattern) *goja.Object {
	object := r.vm.NewDynamicObject(&patternObject{pattern: p, realm: r})
	object.SetPrototype(r.patterns)
	return object
}

// patternOf returns the pattern that a value is, nil when it is none.
func (r *realm) patternOf(v goja.Value) *pattern {
	if object, ok := v.(*goja.Object); ok && object.Prototype() == r.patterns {
		if p, ok := object.Export().(*patternObject); ok {
			return p.pattern
		}
	}
	return nil
}

func (r *realm) thisPattern(call goja.FunctionCall) *pattern {
	p := r.patternOf(call.This)
	if p == nil {
		r.typeError("a method of regular expressions was called on something else")
	}
	return p
}

func (r *realm) sought(call goja.FunctionCall) goja.String {
	return r.toText(call.Argument(0))
}

// argument returns the pattern that match and search are given. JavaScript would
// make one of a text; here a text could make one that is too large.
func (r *realm) argument(call goja.FunctionCall) *pattern {
	p := r.patternOf(call.Argument(0))
	if p == nil {
		r.typeError("match and search take a regular expression, such as name.match(/^a/)")
	}
	return p
}

// match implements String.prototype.match.
func (r *realm) match(call goja.FunctionCall) goja.Value {
	return r.exec(r.argument(call), r.receiver(call))
}

// search implements String.prototype.search.
func (r *realm) search(call goja.FunctionCall) goja.Value {
	if found := r.argument(call).find(r, r.receiver(call)); found != nil {
		return r.vm.ToValue(found[0])
	}
	return r.vm.ToValue(-1)
}

// exec implements RegExp.prototype.exec (ECMA-262, 22.2.6.2): the result is a list of
// the match and of what each group matched.
func (r *realm) exec(p *pattern, text goja.String) goja.Value {
	found := p.find(r, text)
	if found == nil {
		return goja.Null()
	}
	groups := make([]any, len(found)/2)
	for i := range groups {
		groups[i] = goja.Undefined()
		if from, to := found[2*i], found[2*i+1]; from >= 0 {
			r.charge(textSize(to-from) + listItem)
			groups[i] = text.Substring(from, to)
		}
	}
	list := r.vm.NewArray(groups...)
	list.Set("index", found[0])
	list.Set("groups", r.named(p, groups))
	return list
}

// named returns what the groups that have names matched; undefined when none has.
func (r *realm) named(p *pattern, groups []any) goja.Value {
	names := p.compiled.SubexpNames()
	if !slices.ContainsFunc(names, func(name string) bool { return name != "" }) {
		return goja.Undefined()
	}
	named := r.namespace()
	for i, name := range names {
		if name != "" {
			named.Set(name, groups[i])
		}
	}
	return named
}
