package condition

import (
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// A realm is a runtime with almost nothing in it. All that an expression could
// reach by a name is gone: the globals, and whatever the prototypes of strings,
// numbers, booleans, lists and functions held. The methods that conditions may call
// are back on the prototypes under symbols (see methodSymbols), wrapped so that they
// count what they make.
//
// Nothing in a realm can be changed by a condition: there is no assignment in the
// language, all values of events are read-only, and no method changes its receiver.
// So a realm may serve one evaluation after another, whoever wrote them.
type realm struct {
	vm       *goja.Runtime
	builtins map[string]goja.Value
	helpers  [helperCount]goja.Value
	plain    *goja.Object // the prototype of records and maps
	patterns *goja.Object // the prototype of regular expressions
	lists    *goja.Object // the prototype of lists

	bound     map[*Condition]*bound
	boundCost int

	// Of the evaluation under way:
	memory  int // bytes it may still make
	failure failure
	said    string // the message that it threw last

	// Of the scope that it is in:
	watchdog  *watchdog
	eventTime time.Time
}

// callStack is more than enough for functions that call only built-ins.
const callStack = 64

func newRealm() *realm {
	vm := goja.New()
	vm.SetParserOptions(parser.WithDisableSourceMaps)
	vm.SetMaxCallStackSize(callStack)
	r := &realm{vm: vm, bound: make(map[*Condition]*bound), watchdog: new(watchdog)}

	taken := takeBuiltins(vm)
	r.lists = taken.list
	for _, prototype := range []*goja.Object{taken.object, taken.function, taken.string, taken.number, taken.boolean, taken.list} {
		strip(prototype)
	}
	vm.SetGlobalObject(vm.CreateObject(nil))

	r.plain = vm.CreateObject(nil)
	r.primitive(r.plain, func(goja.FunctionCall) goja.Value { return r.noPrimitive("a record or map") })
	r.primitive(taken.function, func(goja.FunctionCall) goja.Value { return r.noPrimitive("a function") })
	r.installStrings(taken)
	r.installLists(taken)
	r.installNumbers(taken)
	r.installPatterns()
	r.installGlobals(taken)
	r.helpers[helpMeter] = r.function("", r.meter)
	r.helpers[helpOperand] = r.function("", r.operand)
	r.helpers[helpKey] = r.function("", r.key)
	return r
}

// taken is what a realm keeps of an ordinary runtime, out of reach of conditions.
type taken struct {
	object, function, string, number, boolean, list *goja.Object // prototypes
	math, numberFunction                            *goja.Object
	global                                          map[string]native
	methods                                         map[*goja.Object]map[string]native
}

// native is a built-in without the cost of calling it through the runtime.
type native = func(goja.FunctionCall) goja.Value

func takeBuiltins(vm *goja.Runtime) *taken {
	global := vm.GlobalObject()
	prototype := func(name string) *goja.Object {
		return global.Get(name).ToObject(vm).Get("prototype").ToObject(vm)
	}
	t := &taken{
		object: prototype("Object"), function: prototype("Function"), string: prototype("String"),
		number: prototype("Number"), boolean: prototype("Boolean"), list: prototype("Array"),
		math: global.Get("Math").ToObject(vm), numberFunction: global.Get("Number").ToObject(vm),
		methods: make(map[*goja.Object]map[string]native),
	}
	for _, object := range []*goja.Object{t.string, t.number, t.boolean, t.list, t.math, t.numberFunction} {
		t.methods[object] = natives(object, methodNames)
	}
	t.global = natives(global, functionNames)
	return t
}

// natives returns those of the named properties of an object that are functions.
func natives(object *goja.Object, names []string) map[string]native {
	found := make(map[string]native)
	for _, name := range names {
		if v := object.Get(name); v != nil {
			if f, ok := v.Export().(native); ok {
				found[name] = f
			}
		}
	}
	return found
}

// strip deletes every property that can be deleted.
func strip(object *goja.Object) {
	for _, name := range object.GetOwnPropertyNames() {
		object.Delete(name)
	}
	for _, symbol := range object.Symbols() {
		object.DeleteSymbol(symbol)
	}
}

// function makes a function value that shows nothing of its implementation.
func (r *realm) function(name string, f native) *goja.Object {
	object := r.vm.ToValue(f).ToObject(r.vm)
	object.DefineDataProperty("name", r.vm.ToValue(name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return object
}

// primitive sets how objects with the prototype become text or a number. Each
// prototype has it: goja's own way ends in an exception that prints the object.
func (r *realm) primitive(prototype *goja.Object, f native) {
	prototype.SetSymbol(goja.SymToPrimitive, r.function("", f))
}

func (r *realm) noPrimitive(what string) goja.Value {
	r.typeError(what + " can't be used as text or a number: ask for one of its fields")
	return nil
}

// method puts a method where calls of x.name(…) find it.
func (r *realm) method(on *goja.Object, name string, f native) {
	on.SetSymbol(methodSymbols[name], r.function(name, f))
}
