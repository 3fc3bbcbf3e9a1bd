package condition

import (
	"math"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// compileScript compiles a whole program, without a gate.
func compileScript(source string, o *Options) (c *Condition, err error) {
	defer func() {
		if recover() != nil { // a mistake in goja must not end the host
			c, err = nil, refuse(0, "this cannot be compiled: write it in another way").of(source)
		}
	}()
	blank, err := checkText(source, o)
	if err != nil {
		return nil, err
	}
	c = &Condition{source: source, always: blank, script: true, cost: scriptCost(source)}
	if blank {
		return c, nil
	}
	program, err := parser.ParseFile(nil, "", source, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, syntaxError(source, err).of(source)
	}
	if c.program, err = goja.CompileAST(program, false); err != nil {
		return nil, refuse(0, "this is not valid JavaScript: %s", clip(err.Error(), 100)).of(source)
	}
	return c, nil
}

// scriptCost estimates the memory of a compiled script.
func scriptCost(source string) int { return 4096 + 64*len(source) }

// newScriptRealm makes a runtime with all of JavaScript in it, for one evaluation.
func newScriptRealm() *realm {
	vm := goja.New()
	vm.SetParserOptions(parser.WithDisableSourceMaps) // for eval and Function
	vm.SetMaxCallStackSize(scriptCallStack)
	lists := vm.GlobalObject().Get("Array").ToObject(vm).Get("prototype").ToObject(vm)
	return &realm{vm: vm, lists: lists, memory: math.MaxInt}
}

// scriptCallStack bounds recursion. Go's own stack would take more, but not without
// end, and overflowing it ends the process.
const scriptCallStack = 500

// runScript runs a program with the same names in scope that expressions have.
func (s *Scope) runScript(c *Condition, r *realm, v *view) Result {
	own := s.evaluator.Begin(s.event)
	own.changed = s.changed
	r.watchdog = s.realm.watchdog
	own.enter(r)
	if v == &s.before {
		own.declare(&own.before)
	} else {
		own.declare(&own.now)
	}
	value, err := r.vm.RunProgram(c.program)
	if err != nil {
		return s.failure(r, c, err)
	}
	return judge(value)
}

// declare makes the names of a view global. The fields are behind the global object,
// as its prototype, so that scripts may declare variables of the same names; those
// that built-ins would hide are in front of it.
func (s *Scope) declare(v *view) {
	global := s.realm.vm.GlobalObject()
	bare := s.record(v.bare)
	if bare.state != nil {
		for name := range bare.state.Fields {
			if global.Get(name) != nil && scopeNames[name] == nameField {
				global.Set(name, bare.field(name))
			}
		}
	}
	for name, scope := range scopeNames {
		if scope < nameUndefined {
			global.Set(name, s.resolve(v, &param{name: name, scope: scope}))
		}
	}
	global.SetPrototype(s.realm.vm.NewDynamicObject(globalFields{fieldsObject{record: bare}}))
}

// globalFields are the fields as global names: those that the record lacks are
// undefined rather than errors.
type globalFields struct{ fieldsObject }

func (o globalFields) Get(name string) goja.Value {
	if v := o.fieldsObject.Get(name); v != nil {
		return v
	}
	return goja.Undefined()
}
