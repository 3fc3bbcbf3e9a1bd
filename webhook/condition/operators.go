package condition

import (
	"slices"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// unary checks an operator before its operand.
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

// binary checks an operator between its operands.
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

// operators are those that have two operands and no effect. Of the operators of
// JavaScript only instanceof is missing.
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

// textual reports whether an operand is a text, so that the other one is compared as
// one, or a number is made of what stands in the source.
func textual(e ast.Expression) bool { _, ok := e.(*ast.StringLiteral); return ok }

// relational reports whether an operator is one of those that goja chains wrongly.
func relational(op token.Token) bool {
	return op == token.LESS || op == token.LESS_OR_EQUAL || op == token.GREATER || op == token.GREATER_OR_EQUAL || op == token.IN
}
