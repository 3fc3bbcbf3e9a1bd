package condition

import (
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// A gate walks a parsed expression. What it doesn't know it refuses; what it knows
// it rewrites, so that the compiled form has parameters for everything that comes
// from outside of it, and constants that the compiler doesn't fold: folding
// takes goja a runtime of its own, and exponential time for some expressions.
type gate struct {
	limits   *Options
	nodes    int
	patterns int // bytes of their text
	refused  *refusal
	params   []param
	names    map[string]*ast.Identifier // those of params that are names
	symbols  map[string]*ast.Identifier // those that are methods
	helpers  [helperCount]*ast.Identifier
	operands []*ast.Expression // those that may have to be converted to numbers
}

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

// refuse records the first refusal; the walk then ends soon.
func (g *gate) refuse(at file.Idx, message string) ast.Expression {
	if g.refused == nil {
		g.refused = refuse(int(at)-1, "%s", message) // an Idx counts from 1
	}
	return &ast.NullLiteral{Idx: at}
}

// param adds a parameter and returns a reference to it. Its name is made up, so
// that arguments, eval and the like have no meaning in the compiled function.
func (g *gate) param(p param) *ast.Identifier {
	g.params = append(g.params, p)
	return &ast.Identifier{Name: placeholder(len(g.params) - 1), Idx: 1}
}

func (g *gate) name(id *ast.Identifier) ast.Expression {
	name := id.Name.String()
	ref, ok := g.names[name]
	if !ok {
		ref = g.param(param{kind: paramName, name: name, scope: scopeNames[name]})
		g.names[name] = ref
	}
	return &ast.Identifier{Name: ref.Name, Idx: id.Idx}
}

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

func literal(e ast.Expression) bool {
	switch e.(type) {
	case *ast.NumberLiteral, *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	}
	return false
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
		return g.refuse(at, "the condition is too long: it has more parts than are allowed")
	}
	if depth > g.limits.MaxDepth {
		return g.refuse(at, "the condition is nested too deep")
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

func (g *gate) unary(e *ast.UnaryExpression, depth int) ast.Expression {
	switch e.Operator {
	case token.NOT, token.MINUS, token.PLUS, token.BITWISE_NOT, token.TYPEOF, token.VOID:
	case token.INCREMENT, token.DECREMENT:
		return g.refuse(e.Idx0(), noCounting)
	case token.DELETE:
		return g.refuse(e.Idx0(), noDelete)
	default:
		return g.refuse(e.Idx0(), "this operator is not available here")
	}
	e.Operand = g.expr(e.Operand, depth+1)
	if n, ok := e.Operand.(*ast.NumberLiteral); ok && e.Operator == token.MINUS {
		return negated(n)
	}
	e.Operand = g.hoist(e.Operand)
	if e.Operator == token.MINUS || e.Operator == token.PLUS || e.Operator == token.BITWISE_NOT {
		g.converts(&e.Operand)
	}
	return e
}

// freeOperands is how many conversions of a text to a number an expression may make
// without counting. A text as large as an event takes 2 MiB, most take nothing:
// ordinary conditions need not pay for the counting.
const freeOperands = 8

// converts notes operands that may have to be converted.
func (g *gate) converts(operands ...*ast.Expression) {
	for _, operand := range operands {
		if !literal(*operand) {
			g.operands = append(g.operands, operand)
		}
	}
}

// countOperands makes an expression with many conversions count them.
func (g *gate) countOperands() {
	if len(g.operands) <= freeOperands {
		return
	}
	for _, operand := range g.operands {
		*operand = g.help(helpOperand, (*operand).Idx0(), *operand)
	}
}

func (g *gate) binary(e *ast.BinaryExpression, depth int) ast.Expression {
	if !slices.Contains(operators, e.Operator) {
		message := "this operator is not available here"
		if e.Operator == token.INSTANCEOF {
			message = noInstanceof
		}
		return g.refuse(e.Idx0(), message)
	}
	// goja groups a < b < c from the right, JavaScript from the left, and nobody
	// means either.
	if right, ok := e.Right.(*ast.BinaryExpression); ok && relational(e.Operator) && relational(right.Operator) {
		return g.refuse(right.Idx0(), noChain)
	}
	e.Left = g.expr(e.Left, depth)
	e.Right = g.expr(e.Right, depth+1)
	logical := e.Operator == token.LOGICAL_AND || e.Operator == token.LOGICAL_OR || e.Operator == token.COALESCE
	if logical || literal(e.Right) {
		e.Left = g.hoist(e.Left)
	}
	switch {
	case e.Operator == token.PLUS:
		return g.help(helpMeter, e.Idx0(), e)
	case e.Operator == token.IN && !literal(e.Left):
		e.Left = g.help(helpKey, e.Idx0(), e.Left)
	case slices.Contains(arithmetic, e.Operator), comparison(e.Operator) && !textual(e.Left) && !textual(e.Right):
		g.converts(&e.Left, &e.Right)
	}
	return e
}

var operators = []token.Token{
	token.PLUS, token.MINUS, token.MULTIPLY, token.SLASH, token.REMAINDER, token.EXPONENT,
	token.AND, token.OR, token.EXCLUSIVE_OR, token.SHIFT_LEFT, token.SHIFT_RIGHT, token.UNSIGNED_SHIFT_RIGHT,
	token.EQUAL, token.NOT_EQUAL, token.STRICT_EQUAL, token.STRICT_NOT_EQUAL,
	token.LESS, token.LESS_OR_EQUAL, token.GREATER, token.GREATER_OR_EQUAL, token.IN,
	token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE,
}

// arithmetic are the operators that make numbers of their operands.
var arithmetic = []token.Token{
	token.MINUS, token.MULTIPLY, token.SLASH, token.REMAINDER, token.EXPONENT,
	token.AND, token.OR, token.EXCLUSIVE_OR, token.SHIFT_LEFT, token.SHIFT_RIGHT, token.UNSIGNED_SHIFT_RIGHT,
}

// comparison reports whether an operator makes a number of one operand when the other
// one is a number.
func comparison(op token.Token) bool {
	return op == token.EQUAL || op == token.NOT_EQUAL || relational(op) && op != token.IN
}

func textual(e ast.Expression) bool { _, ok := e.(*ast.StringLiteral); return ok }

func relational(op token.Token) bool {
	return op == token.LESS || op == token.LESS_OR_EQUAL || op == token.GREATER || op == token.GREATER_OR_EQUAL || op == token.IN
}

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

func placeholder(i int) unistring.String {
	const digits = "0123456789"
	return unistring.String([]byte{'p', digits[i/1000%10], digits[i/100%10], digits[i/10%10], digits[i%10]})
}
