package condition

import (
	"github.com/dop251/goja"
)

// A failure is why an evaluation was ended by the realm rather than by JavaScript.
type failure uint8

const (
	noFailure failure = iota
	outOfMemory
	outOfTime
)

// charge counts bytes that are about to be made, and ends the evaluation when it has
// made too many.
func (r *realm) charge(bytes int) {
	if r.memory -= bytes; r.memory < 0 {
		r.fail(outOfMemory)
	}
}

// expired reports whether the deadline has passed. Built-ins that loop ask for
// it: between instructions the runtime looks by itself.
func (r *realm) expired() bool { return r.watchdog.expired.Load() }

// expire ends the evaluation.
func (r *realm) expire() { r.fail(outOfTime) }

// tick looks at the clock now and then; i counts the steps of a loop.
func (r *realm) tick(i int) {
	if i%256 == 0 && r.expired() {
		r.expire()
	}
}

// fail throws, within a built-in, an exception that expressions have no way to catch.
func (r *realm) fail(f failure) {
	r.failure = f
	panic(r.vm.NewTypeError("a limit was reached"))
}

// typeError throws an exception with a message for the condition's owner.
func (r *realm) typeError(message string) {
	r.said = message
	panic(r.vm.NewTypeError(message))
}

// textSize is how many bytes of memory a text of the given length may take.
func textSize(length int) int { return 2 * length }

// meter passes the result of a + through and charges for it when it is text.
func (r *realm) meter(call goja.FunctionCall) goja.Value {
	v := call.Argument(0)
	if s, ok := v.(goja.String); ok {
		r.charge(textSize(s.Length()))
	}
	return v
}

// operand passes a value through that may have to be converted to a number, for which
// goja makes a copy of a text.
func (r *realm) operand(call goja.FunctionCall) goja.Value {
	v := call.Argument(0)
	if s, ok := v.(goja.String); ok && s.Length() > shortText {
		r.charge(2 * textSize(s.Length()))
	}
	return v
}

// longestKey is the longest name that is looked up by x[name] or name in x.
const longestKey = 4096

// key passes a name that is computed through. Names are converted for
// every look-up, which for a huge one costs more than it could be worth.
func (r *realm) key(call goja.FunctionCall) goja.Value {
	v := call.Argument(0)
	if _, object := v.(*goja.Object); object {
		v = r.toText(v)
	}
	if s, ok := v.(goja.String); ok && s.Length() > longestKey {
		r.fail(outOfMemory)
	}
	return v
}
