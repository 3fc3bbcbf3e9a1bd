package condition

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/unistring"
)

// A param is a parameter of the compiled function.
type param struct {
	kind    paramKind
	name    string // a free name of the source, and
	scope   scopeName
	helper  helper
	value   any   // a constant's, or the *goja.Symbol of a method
	list    []any // constants
	pattern *pattern
}

type paramKind uint8

const (
	paramName paramKind = iota
	paramValue
	paramList
	paramHelper
	paramPattern
)

// A helper is a function of the runtime that the gate puts into an expression.
type helper uint8

const (
	// helpMeter passes a value through and counts its size.
	helpMeter helper = iota
	// helpKey passes a name that is computed through, unless it is huge.
	helpKey
	// helpOperand passes a value through that may have to be converted, and counts
	// what that would take.
	helpOperand
	helperCount
)

// param adds a parameter and returns a reference to it. Its name is made up, so
// that arguments, eval and the like have no meaning in the compiled function.
func (g *gate) param(p param) *ast.Identifier {
	g.params = append(g.params, p)
	return &ast.Identifier{Name: placeholder(len(g.params) - 1), Idx: 1}
}

// name turns a free name of the source into a parameter.
func (g *gate) name(id *ast.Identifier) ast.Expression {
	name := id.Name.String()
	ref, ok := g.names[name]
	if !ok {
		ref = g.param(param{kind: paramName, name: name, scope: scopeNames[name]})
		g.names[name] = ref
	}
	return &ast.Identifier{Name: ref.Name, Idx: id.Idx}
}

// help wraps an expression in a call of a helper.
func (g *gate) help(h helper, at file.Idx, e ast.Expression) ast.Expression {
	if g.helpers[h] == nil {
		g.helpers[h] = g.param(param{kind: paramHelper, helper: h})
	}
	return &ast.CallExpression{Callee: g.helpers[h], LeftParenthesis: at, ArgumentList: []ast.Expression{e}, RightParenthesis: at}
}

// hoist makes a parameter of a literal, so that nothing is constant to the compiler.
func (g *gate) hoist(e ast.Expression) ast.Expression {
	if !literal(e) {
		return e
	}
	return g.param(param{kind: paramValue, value: constant(e)})
}

// placeholder returns the name of a parameter.
func placeholder(i int) unistring.String {
	const digits = "0123456789"
	return unistring.String([]byte{'p', digits[i/1000%10], digits[i/100%10], digits[i/10%10], digits[i%10]})
}
