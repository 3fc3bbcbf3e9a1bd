package condition

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// A scalar is a value of JavaScript that is no object.
type scalar struct {
	kind   scalarKind
	text   string
	number float64 // of a boolean 0 or 1
}

type scalarKind uint8

const (
	isUndefined scalarKind = iota
	isNull
	isBoolean
	isNumber
	isText
	// isOther is a value that only the interpreter knows what to do with. Whatever is
	// asked about it has no answer.
	isOther
)

func boolean(b bool) scalar {
	if b {
		return scalar{kind: isBoolean, number: 1}
	}
	return scalar{kind: isBoolean}
}

// An answer is yes, no, or not known without the interpreter.
type answer uint8

const (
	answerNo answer = iota
	answerYes
	answerUnknown
)

func answerOf(yes bool) answer {
	if yes {
		return answerYes
	}
	return answerNo
}

// not returns the opposite answer.
func (a answer) not() answer {
	if a == answerUnknown {
		return a
	}
	return 1 - a
}

// scalarOf converts a field's value to what realm.value makes of it.
func scalarOf(value any) scalar {
	switch v := value.(type) {
	case nil:
		return scalar{kind: isNull}
	case bool:
		return boolean(v)
	case string:
		return scalar{kind: isText, text: v}
	case int:
		return wholeNumber(int64(v))
	case int64:
		return wholeNumber(v)
	case float64:
		if v != math.Trunc(v) || math.Abs(v) <= exact {
			return scalar{kind: isNumber, number: v}
		}
	case json.Number:
		return numeral(string(v))
	}
	return scalar{kind: isOther}
}

func wholeNumber(i int64) scalar {
	if i > exact || i < -exact {
		return scalar{kind: isOther}
	}
	return scalar{kind: isNumber, number: float64(i)}
}

// numeral converts a number by its text.
func numeral(text string) scalar {
	const usual = 32 // hardly any number takes more bytes
	if len(text) > usual {
		return scalar{kind: isOther}
	}
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return scalar{kind: isOther}
		}
		return wholeNumber(i)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return scalar{kind: isOther}
	}
	return scalar{kind: isNumber, number: f}
}

// truth is what ToBoolean makes of a value (ECMA-262, 7.1.2).
func (a scalar) truth() answer {
	switch a.kind {
	case isBoolean, isNumber:
		return answerOf(a.number != 0 && !math.IsNaN(a.number))
	case isText:
		return answerOf(a.text != "")
	case isOther:
		return answerUnknown
	}
	return answerNo
}

// same is what === says (ECMA-262, 7.2.15).
func (a *scalar) same(b *scalar) answer {
	if a.kind == isOther || b.kind == isOther {
		return answerUnknown
	}
	if a.kind != b.kind {
		return answerNo
	}
	switch a.kind {
	case isBoolean, isNumber:
		return answerOf(a.number == b.number)
	case isText:
		return answerOf(a.text == b.text)
	}
	return answerYes
}

// equal is what == says (ECMA-262, 7.2.14) about values that need no conversion.
func (a *scalar) equal(b *scalar) answer {
	switch {
	case a.kind == isOther || b.kind == isOther:
		return answerUnknown
	case a.kind == b.kind:
		return a.same(b)
	case a.kind <= isNull || b.kind <= isNull: // undefined and null are equal to each other only
		return answerOf(a.kind <= isNull && b.kind <= isNull)
	}
	return answerUnknown
}

// compare is what <, <=, > and >= say about numbers. Undefined is NaN.
func (a *scalar) compare(op directOp, b *scalar) answer {
	for _, s := range []*scalar{a, b} {
		if s.kind != isNumber && s.kind != isUndefined {
			return answerUnknown
		}
	}
	if a.kind == isUndefined || b.kind == isUndefined {
		return answerNo
	}
	switch op {
	case directLess:
		return answerOf(a.number < b.number)
	case directLessOrEqual:
		return answerOf(a.number <= b.number)
	case directGreater:
		return answerOf(a.number > b.number)
	}
	return answerOf(a.number >= b.number)
}
