package condition

import (
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
)

// pattern turns a regular expression literal into a parameter.
func (g *gate) pattern(e *ast.RegExpLiteral) ast.Expression {
	if g.patterns += len(e.Pattern); g.patterns > maxPatternText {
		return g.refuse(e.Idx, "the regular expressions of this condition are too long")
	}
	p, message := compilePattern(e.Pattern, e.Flags, g.limits.MaxPattern)
	if message != "" {
		return g.refuse(e.Idx, message)
	}
	return g.param(param{kind: paramPattern, pattern: p})
}

// call lets calls of known methods and functions through, by a name that stands in
// the source. A method's name becomes the symbol under which the runtime keeps it.
func (g *gate) call(e *ast.CallExpression, depth int) ast.Expression {
	switch callee := e.Callee.(type) {
	case *ast.Identifier:
		if name := callee.Name.String(); !slices.Contains(functionNames, name) {
			return g.refuse(callee.Idx, "the function "+clip(name, 40)+" is not available here: use "+strings.Join(functionNames, ", "))
		}
		e.Callee = g.name(callee)
	case *ast.DotExpression:
		name := callee.Identifier.Name.String()
		symbol, ok := methodSymbols[name]
		if !ok {
			return g.refuse(callee.Identifier.Idx, noMethod(name))
		}
		ref := g.symbols[name]
		if ref == nil {
			ref = g.param(param{kind: paramValue, value: symbol})
			g.symbols[name] = ref
		}
		e.Callee = &ast.BracketExpression{
			Left:        g.expr(callee.Left, depth),
			Member:      &ast.Identifier{Name: ref.Name, Idx: callee.Identifier.Idx},
			LeftBracket: callee.Identifier.Idx, RightBracket: callee.Identifier.Idx,
		}
	default:
		return g.refuse(e.Callee.Idx0(), "only methods and functions that are called by their name are available here, such as name.includes('x')")
	}
	for i, argument := range e.ArgumentList {
		e.ArgumentList[i] = g.expr(argument, depth+1)
		g.converts(&e.ArgumentList[i])
	}
	return e
}

func noMethod(name string) string {
	message := "the method " + clip(name, 40) + " is not available here: "
	if instead, known := refusedMethods[name]; known {
		return message + instead
	}
	return message + "there are includes, startsWith, endsWith, indexOf, slice, split, trim, toLowerCase and others like them"
}
