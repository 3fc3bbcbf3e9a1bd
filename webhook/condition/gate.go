package condition

import (
	"fmt"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// A gate walks a parsed expression. What it doesn't know it refuses; what it knows
// it rewrites, so that the compiled form has parameters for everything that comes
// from outside of it, and constants that the compiler doesn't fold: folding
// takes goja a runtime of its own, and exponential time for some expressions.
type gate struct {
	limits   *Options
	nodes    int
	patterns int      // bytes of their text
	refused  *refusal // the first
	params   []param
	names    map[string]*ast.Identifier // those of params that are names
	symbols  map[string]*ast.Identifier // those that are methods
	helpers  [helperCount]*ast.Identifier
	operands []*ast.Expression // those that may have to be converted to numbers
}

// refuse records the first refusal; the walk then ends soon.
func (g *gate) refuse(at file.Idx, message string) ast.Expression {
	if g.refused == nil {
		g.refused = refuse(int(at)-1, "%s", message) // an Idx counts from 1
	}
	return &ast.NullLiteral{Idx: at}
}

// expr checks and rewrites an expression that stands at a depth of the tree. What
// is written in a row (a && b && c, a.b.c, a ? b : c ? d : e) stays at its depth.
func (g *gate) expr(e ast.Expression, depth int) ast.Expression {
	if g.refused != nil {
		return e
	}
	at := file.Idx(1)
	if e != nil {
		at = e.Idx0()
	}
	if g.nodes++; g.nodes > g.limits.MaxNodes {
		return g.refuse(at, fmt.Sprintf("the condition is too long: at most %d names, constants and operators are allowed", g.limits.MaxNodes))
	}
	if depth > g.limits.MaxDepth {
		return g.refuse(at, fmt.Sprintf("the condition is nested more than %d deep", g.limits.MaxDepth))
	}
	switch e := e.(type) {
	case *ast.Identifier:
		return g.name(e)
	case *ast.NumberLiteral:
		if !plainNumber(e) {
			return g.refuse(at, noBigInts)
		}
		return e
	case *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return e
	case *ast.RegExpLiteral:
		return g.pattern(e)
	case *ast.ArrayLiteral:
		return g.list(e, depth)
	case *ast.UnaryExpression:
		return g.unary(e, depth)
	case *ast.BinaryExpression:
		return g.binary(e, depth)
	case *ast.ConditionalExpression:
		e.Test = g.expr(e.Test, depth+1)
		e.Consequent = g.expr(e.Consequent, depth+1)
		e.Alternate = g.expr(e.Alternate, depth)
		return e
	case *ast.DotExpression:
		e.Left = g.expr(e.Left, depth)
		return e
	case *ast.BracketExpression:
		e.Left = g.expr(e.Left, depth)
		e.Member = g.expr(e.Member, depth+1)
		if !literal(e.Member) {
			e.Member = g.help(helpKey, e.LeftBracket, e.Member)
		}
		return e
	case *ast.OptionalChain:
		e.Expression = g.expr(e.Expression, depth)
		return e
	case *ast.Optional:
		e.Expression = g.expr(e.Expression, depth)
		return e
	case *ast.CallExpression:
		return g.call(e, depth)
	}
	return g.refuse(at, unavailable(e))
}

// list checks a list. One of constants becomes a parameter: making it for each
// evaluation takes longer than all the rest, and nothing can change it.
func (g *gate) list(e *ast.ArrayLiteral, depth int) ast.Expression {
	var items []any
	for i, item := range e.Value {
		if item == nil {
			return g.refuse(e.LeftBracket, noHoles)
		}
		e.Value[i] = g.expr(item, depth+1)
		if literal(e.Value[i]) {
			items = append(items, constant(e.Value[i]))
		}
	}
	if g.refused != nil || len(items) < len(e.Value) {
		return e
	}
	return g.param(param{kind: paramList, list: items})
}

// unavailable says what to use instead of a kind of expression.
func unavailable(e ast.Expression) string {
	switch e.(type) {
	case *ast.AssignExpression:
		return noAssignment
	case *ast.ArrowFunctionLiteral:
		return noArrows
	case *ast.FunctionLiteral, *ast.YieldExpression, *ast.AwaitExpression:
		return noFunctions
	case *ast.ObjectLiteral:
		return noBraces
	case *ast.TemplateLiteral:
		return noTemplates
	case *ast.SpreadElement:
		return noSpread
	case *ast.SequenceExpression:
		return noComma
	case *ast.NewExpression:
		return noNew
	case *ast.ThisExpression:
		return noThis
	}
	return "this is not available here: write one expression that compares fields"
}
