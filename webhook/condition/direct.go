package condition

import (
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// A direct is an expression, or a part of one, that is simple enough to be evaluated
// without the interpreter: comparisons of fields and the like with constants and with
// each other, joined by &&, || and !. That covers most conditions, and costs a small
// part of what a call into the runtime does.
//
// It has an answer only where JavaScript's is beyond doubt: where a value would have to
// be converted, or is a list or a map, it leaves the whole expression to the
// interpreter. It needs no deadline and no limit on memory: it makes nothing, and each
// part of it, of which there are no more than MaxNodes, takes a bounded time that is
// short.
type direct struct {
	op       directOp
	left     *direct
	right    *direct
	of       whichRecord
	name     string // of a field, an interest, or a field that changed
	constant scalar
	list     []scalar
}

// directSize is about how many bytes a direct takes.
const directSize = 128

type directOp uint8

const (
	directConstant directOp = iota
	directField             // the field name
	directInterest          // whether there is the interest name
	directID                // the record's ID
	directAction            // the event's action, and so on
	directTrigger
	directDatabase
	directCollection
	directChanged // whether the field name changed
	directOneOf   // whether the left operand is in the list
	directNot
	directAnd
	directOr
	directEqual
	directNotEqual
	directSame // ===
	directNotSame
	directLess
	directLessOrEqual
	directGreater
	directGreaterOrEqual
)

// whichRecord says which of the event's records something is of.
type whichRecord uint8

const (
	ofBare whichRecord = iota
	ofProfile
	ofSubprofile
	ofOld
	ofNone
)

var directOperators = map[token.Token]directOp{
	token.LOGICAL_AND: directAnd, token.LOGICAL_OR: directOr,
	token.EQUAL: directEqual, token.NOT_EQUAL: directNotEqual,
	token.STRICT_EQUAL: directSame, token.STRICT_NOT_EQUAL: directNotSame,
	token.LESS: directLess, token.LESS_OR_EQUAL: directLessOrEqual,
	token.GREATER: directGreater, token.GREATER_OR_EQUAL: directGreaterOrEqual,
}

// maxDirect is how deep an expression may be nested. A row of && is as deep as it is
// long.
const maxDirect = 256

// newDirect returns the direct form of a parsed expression, nil where it has none. The
// gate has to let the expression through as well, and is asked afterwards: it
// rewrites the tree.
func newDirect(e ast.Expression, depth int) *direct {
	if depth > maxDirect {
		return nil
	}
	switch e := e.(type) {
	case *ast.UnaryExpression:
		if e.Operator == token.NOT {
			if operand := newDirect(e.Operand, depth+1); operand != nil {
				return &direct{op: directNot, left: operand}
			}
			return nil
		}
	case *ast.BinaryExpression:
		op, ok := directOperators[e.Operator]
		if !ok {
			return nil
		}
		var left, right *direct
		if op == directAnd || op == directOr {
			left, right = newDirect(e.Left, depth+1), newDirect(e.Right, depth+1)
		} else {
			left, right = directLeaf(e.Left), directLeaf(e.Right)
		}
		if left == nil || right == nil {
			return nil
		}
		return &direct{op: op, left: left, right: right}
	case *ast.CallExpression:
		return directCall(e)
	}
	return directLeaf(e)
}

// directLeaf returns the direct form of a constant, a name, or a name behind a record's.
func directLeaf(e ast.Expression) *direct {
	switch e := e.(type) {
	case *ast.Identifier:
		return directName(e.Name.String())
	case *ast.DotExpression:
		return directMember(e.Left, e.Identifier.Name.String(), false)
	case *ast.BracketExpression:
		if name, ok := e.Member.(*ast.StringLiteral); ok && wholeText(name) {
			return directMember(e.Left, name.Value.String(), true)
		}
		return nil
	}
	if c, ok := constantScalar(e); ok {
		return &direct{op: directConstant, constant: c}
	}
	return nil
}

// directName returns the direct form of a name, if what it means is no object.
func directName(name string) *direct {
	switch scopeNames[name] {
	case nameField:
		if slices.Contains(builtinNames, name) {
			return nil
		}
		return &direct{op: directField, name: name}
	case nameAction:
		return &direct{op: directAction}
	case nameTrigger:
		return &direct{op: directTrigger}
	case nameDatabase:
		return &direct{op: directDatabase}
	case nameCollection:
		return &direct{op: directCollection}
	case nameUndefined:
		return &direct{op: directConstant}
	}
	return nil
}

// directMember returns the direct form of on.name, or on['name'].
func directMember(on ast.Expression, name string, bracket bool) *direct {
	if which := recordOf(on); which != ofNone {
		switch name {
		case "ID":
			return &direct{op: directID, of: which}
		case "fields", "interests", "created", "modified":
			return nil
		}
		return &direct{op: directField, of: which, name: name}
	}
	inner, ok := on.(*ast.DotExpression)
	if !ok {
		return nil
	}
	which := recordOf(inner.Left)
	if which == ofNone {
		return nil
	}
	switch inner.Identifier.Name.String() {
	case "fields":
		return &direct{op: directField, of: which, name: name}
	case "interests":
		if !bracket && name != "length" { // which mean something else on a list
			return &direct{op: directInterest, of: which, name: name}
		}
	}
	return nil
}

// recordOf tells which record a name means.
func recordOf(e ast.Expression) whichRecord {
	if name, ok := e.(*ast.Identifier); ok {
		switch scopeNames[name.Name.String()] {
		case nameProfile:
			return ofProfile
		case nameSubprofile:
			return ofSubprofile
		case nameOld:
			return ofOld
		}
	}
	return ofNone
}

// directCall returns the direct form of changed.includes('name') and of
// ['a', 'b'].includes(name).
func directCall(e *ast.CallExpression) *direct {
	method, ok := e.Callee.(*ast.DotExpression)
	if !ok || method.Identifier.Name != "includes" || len(e.ArgumentList) != 1 {
		return nil
	}
	switch on := method.Left.(type) {
	case *ast.Identifier:
		name, ok := e.ArgumentList[0].(*ast.StringLiteral)
		if ok && wholeText(name) && scopeNames[on.Name.String()] == nameChanged {
			return &direct{op: directChanged, name: name.Value.String()}
		}
	case *ast.ArrayLiteral:
		list := make([]scalar, len(on.Value))
		for i, item := range on.Value {
			if list[i], ok = constantScalar(item); !ok {
				return nil
			}
		}
		if sought := directLeaf(e.ArgumentList[0]); sought != nil {
			return &direct{op: directOneOf, left: sought, list: list}
		}
	}
	return nil
}

// constantScalar returns the value of a literal.
func constantScalar(e ast.Expression) (scalar, bool) {
	switch e := e.(type) {
	case *ast.NullLiteral:
		return scalar{kind: isNull}, true
	case *ast.BooleanLiteral:
		return boolean(e.Value), true
	case *ast.StringLiteral:
		return scalar{kind: isText, text: e.Value.String()}, wholeText(e)
	case *ast.UnaryExpression:
		if n, ok := e.Operand.(*ast.NumberLiteral); ok && e.Operator == token.MINUS {
			c, ok := constantScalar(n)
			c.number = -c.number
			return c, ok
		}
	case *ast.NumberLiteral:
		switch v := e.Value.(type) {
		case int64:
			return scalar{kind: isNumber, number: float64(v)}, v <= exact
		case float64:
			return scalar{kind: isNumber, number: v}, true
		}
	}
	return scalar{}, false
}

// wholeText reports whether a literal is text that Go has as well: without halves of
// surrogate pairs.
func wholeText(s *ast.StringLiteral) bool { return !strings.ContainsRune(s.Value.String(), '\ufffd') }
