package condition

import (
	"math"
	"unicode/utf16"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/unistring"
)

// literal reports whether an expression is a constant that is written out.
func literal(e ast.Expression) bool {
	switch e.(type) {
	case *ast.NumberLiteral, *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	}
	return false
}

// constant returns the value of a literal, fit for Runtime.ToValue.
func constant(e ast.Expression) any {
	switch e := e.(type) {
	case *ast.NumberLiteral:
		return e.Value
	case *ast.StringLiteral:
		return text(e.Value)
	case *ast.BooleanLiteral:
		return e.Value
	}
	return nil
}

// text returns a string literal as a value that all runtimes can share: unlike what
// Runtime.ToValue makes, it is complete, and isn't scanned when it is first used.
func text(s unistring.String) goja.String {
	if units := s.AsUtf16(); units != nil {
		return goja.StringFromUTF16(units[1:]) // behind the byte order mark
	}
	return goja.StringFromUTF16(utf16.Encode([]rune(string(s))))
}

// plainNumber reports whether a literal is a number, and not a bigint.
func plainNumber(n *ast.NumberLiteral) bool {
	switch n.Value.(type) {
	case int64, float64:
		return true
	}
	return false
}

// negated returns the literal of the opposite number.
func negated(n *ast.NumberLiteral) ast.Expression {
	minus := *n
	switch v := n.Value.(type) {
	case int64:
		minus.Value = -v
		if v == 0 {
			minus.Value = math.Copysign(0, -1)
		}
	case float64:
		minus.Value = -v
	}
	return &minus
}
