package condition

import "slices"

// judge evaluates a direct, and tells whether it is true.
func (s *Scope) judge(d *direct, v *view) answer {
	switch d.op {
	case directNot:
		return s.judge(d.left, v).not()
	case directAnd:
		if left := s.judge(d.left, v); left != answerYes {
			return left
		}
		return s.judge(d.right, v)
	case directOr:
		if left := s.judge(d.left, v); left != answerNo {
			return left
		}
		return s.judge(d.right, v)
	case directChanged:
		return s.hasChanged(d.name, v)
	case directInterest:
		return hasInterest(d, v)
	}
	if d.left == nil {
		return s.value(d, v).truth()
	}
	a := s.value(d.left, v)
	if d.op == directOneOf {
		return oneOf(&a, d.list)
	}
	b := s.value(d.right, v)
	if d.left.op != directConstant && d.right.op != directConstant && max(len(a.text), len(b.text)) > shortText {
		return answerUnknown // may take long, and has to be counted
	}
	switch d.op {
	case directEqual:
		return a.equal(&b)
	case directNotEqual:
		return a.equal(&b).not()
	case directSame:
		return a.same(&b)
	case directNotSame:
		return a.same(&b).not()
	}
	return a.compare(d.op, &b)
}

// value returns the value of a leaf.
func (s *Scope) value(d *direct, v *view) scalar {
	event := s.event
	switch d.op {
	case directConstant:
		return d.constant
	case directField:
		record := v.record(d.of)
		if record == nil {
			return scalar{}
		}
		if value, ok := record.Fields[d.name]; ok {
			return scalarOf(value)
		}
		return scalar{}
	case directInterest:
		switch hasInterest(d, v) {
		case answerYes:
			return boolean(true)
		case answerNo:
			return scalar{}
		}
	case directID:
		if record := v.record(d.of); record != nil {
			return scalar{kind: isText, text: idOf(event, record)}
		}
		return scalar{}
	case directAction:
		return scalar{kind: isText, text: string(event.Action)}
	case directTrigger:
		return scalar{kind: isText, text: event.Trigger}
	case directDatabase:
		return scalar{kind: isText, text: event.Database}
	case directCollection:
		if event.Collection == "" {
			return scalar{kind: isNumber}
		}
		return scalar{kind: isText, text: event.Collection}
	}
	return scalar{kind: isOther}
}

// fewTexts is up to how many texts are searched: each search has to be quick.
const fewTexts = 64

func hasInterest(d *direct, v *view) answer {
	record := v.record(d.of)
	switch {
	case record == nil:
		return answerNo
	case len(record.Interests) > fewTexts:
		return answerUnknown
	}
	return answerOf(slices.Contains(record.Interests, d.name))
}

func (s *Scope) hasChanged(name string, v *view) answer {
	if v != &s.now {
		return answerNo
	}
	changed := s.changedNames()
	if len(changed) > fewTexts {
		return answerUnknown
	}
	return answerOf(slices.Contains(changed, name))
}

// oneOf is what includes says about a list of constants, none of which is NaN.
func oneOf(sought *scalar, list []scalar) answer {
	for i := range list {
		if found := sought.same(&list[i]); found != answerNo {
			return found
		}
	}
	return answerNo
}
