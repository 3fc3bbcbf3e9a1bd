package condition

import (
	"time"

	"github.com/dop251/goja"
)

// A bound condition is one made ready to be called in a realm.
type bound struct {
	args   []goja.Value // one for each parameter; those of names are nil between calls
	invoke func()       // calls the function with args
	result goja.Value
}

// boundSize bounds the memory of the conditions that are bound in a realm, in bytes: it
// is enough for some ten thousand. They are dropped all at once: binding one again
// takes as long as evaluating it several times.
const boundSize = 16 << 20

// bind returns the condition, bound in the realm.
func (r *realm) bind(c *Condition) (*bound, error) {
	if b := r.bound[c]; b != nil {
		return b, nil
	}
	f, err := r.vm.RunProgram(c.program)
	if err != nil {
		return nil, err
	}
	b := &bound{args: make([]goja.Value, len(c.params))}
	function := f.Export().(native)
	b.invoke = func() {
		b.result = function(goja.FunctionCall{This: goja.Undefined(), Arguments: b.args})
	}
	for i, p := range c.params {
		switch p.kind {
		case paramValue:
			b.args[i] = r.vm.ToValue(p.value)
		case paramList:
			b.args[i] = r.vm.NewArray(p.list...)
		case paramHelper:
			b.args[i] = r.helpers[p.helper]
		case paramPattern:
			b.args[i] = r.newPattern(p.pattern)
		}
	}
	if r.boundCost += c.cost; r.boundCost > boundSize {
		clear(r.bound)
		r.boundCost = c.cost
	}
	r.bound[c] = b
	return b, nil
}

// call calls a bound condition, without what goja.Callable does around each call:
// that throws the stack away, which rest does once for all the calls of an event.
func (r *realm) call(b *bound) (goja.Value, error) {
	exception := r.vm.Try(b.invoke)
	value := b.result
	b.result = nil
	if exception != nil {
		return nil, exception
	}
	return value, nil
}

// rest makes the realm forget the scope it was in, which would keep an event alive:
// what the runtime's stack holds.
func (r *realm) rest() {
	r.vm.RunProgram(nothing)
	r.eventTime = time.Time{}
}

var nothing = goja.MustCompile("", "", false)
