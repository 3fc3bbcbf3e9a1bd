package condition

import (
	"errors"
	"strings"
	"unicode"

	"github.com/dop251/goja"
)

// Evaluate judges the event: for a delete the last state, otherwise the new one.
func (s *Scope) Evaluate(c *Condition) Result {
	if c.always {
		return verdict(true)
	}
	return s.evaluate(c, &s.now)
}

// EvaluateBefore judges the record as it was before the change, for callbacks that
// fire on transitions. In this view the bare fields, profile (or subprofile, where
// one changed) and old are all the state before, and changed is empty; action and the
// like are the event's.
//
// Where there was nothing before (a create), or it is not known what (an update
// without Previous), nothing matches.
func (s *Scope) EvaluateBefore(c *Condition) Result {
	if s.before.old == nil {
		return verdict(false)
	}
	if c.always {
		return verdict(true)
	}
	return s.evaluate(c, &s.before)
}

// evaluate evaluates directly what can be, and the rest with the interpreter.
func (s *Scope) evaluate(c *Condition, v *view) Result {
	if c.direct != nil {
		if a := s.judge(c.direct, v); a != answerUnknown {
			return verdict(a == answerYes)
		}
	}
	return s.interpret(c, v)
}

// interpret tries an expression that ran into the deadline once more, unless the event
// is so large, and the deadline so long, that it may well have been its own fault: on
// a busy machine an expression can be kept waiting, and an event that is not told
// because of that would be lost.
func (s *Scope) interpret(c *Condition, v *view) Result {
	s.ready()
	result := s.try(c, v)
	if result.Class == ClassDeadline && (small(s.event) || s.realm.watchdog.short()) {
		result = s.try(c, v)
	}
	return result
}

func (s *Scope) try(c *Condition, v *view) (result Result) {
	r, w := s.realm, s.realm.watchdog
	if c.script {
		r = newScriptRealm()
	} else {
		r.memory, r.failure = s.evaluator.options.MaxMemory, noFailure
	}
	w.start(r.vm)
	sound := false
	defer func() {
		if !sound {
			recover() // an interrupt, or a mistake in goja, which must not end the host
			result = failed(ClassError, "the condition could not be evaluated")
		}
		if w.end() && result.Verdict == Failed {
			result = failed(ClassDeadline, "took longer than "+w.deadline.String())
		}
		if (!sound || result.Class == ClassDeadline) && !c.script {
			s.renew()
		}
	}()
	if c.script {
		result = s.runScript(c, r, v)
	} else {
		result = s.run(c, r, v)
	}
	sound = true
	return result
}

// run calls the condition's function in the scope's realm.
func (s *Scope) run(c *Condition, r *realm, v *view) Result {
	b, err := r.bind(c)
	if err != nil {
		return s.failure(r, c, err)
	}
	for i := range c.params {
		if p := &c.params[i]; p.kind == paramName {
			b.args[i] = s.resolve(v, p)
		}
	}
	value, err := r.call(b)
	for i := range c.params {
		if c.params[i].kind == paramName {
			b.args[i] = nil // a bound condition must not keep an event alive
		}
	}
	if err != nil {
		return s.failure(r, c, err)
	}
	return judge(value)
}

// judge makes a verdict of the value of an expression.
func judge(v goja.Value) Result {
	switch v := v.(type) {
	case *goja.Object:
		return failed(ClassAnswer, "the result is a "+kind(v)+", which is neither yes nor no: compare it with something")
	case *goja.Symbol:
		return failed(ClassAnswer, "the result is a symbol, which is neither yes nor no")
	}
	if goja.IsBigInt(v) {
		return failed(ClassAnswer, "the result is a bigint, which is neither yes nor no")
	}
	return verdict(v.ToBoolean())
}

func kind(object *goja.Object) string {
	switch object.ClassName() {
	case "Array":
		return "list"
	case "Function":
		return "function"
	}
	return "record"
}

// failure makes a result of what ended an evaluation. The watchdog is still awake:
// what a script throws may be made to take its time when it is looked at.
func (s *Scope) failure(r *realm, c *Condition, err error) Result {
	switch r.failure {
	case outOfMemory:
		return failed(ClassLimit, "needed more memory than a condition may: the text or list it works on is too large")
	case outOfTime:
		return failed(ClassDeadline, "took longer than "+s.realm.watchdog.deadline.String())
	}
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		if object, ok := thrown.Value().(*goja.Object); ok {
			if message, ok := object.Get("message").(goja.String); ok {
				return failed(ClassError, explain(message.String(), r.said, c))
			}
		}
	}
	return failed(ClassError, "the condition could not be evaluated")
}

// explain makes a message of goja's fit for the condition's owner. Goja may put values of
// the record in, which must not outlive the event: what it says is passed on as far as
// it is known to hold nothing but what the condition says itself. Said is the realm's
// own message, scripts say what they like.
func explain(message, said string, c *Condition) string {
	const someError = "an operator or a method was given a value that it can't work with"
	message = clip(message, 180)
	if c.script || message == said {
		return printable(message)
	}
	if name, ok := between(message, "Object has no member '", "'"); ok && strings.Contains(c.source, name) {
		return printable("there is no method " + name + " on this value")
	}
	if name, ok := between(message, "Cannot read property '", "' of undefined"); ok {
		if strings.Contains(c.source, name) {
			return printable("cannot read property '" + name + "' of undefined or null")
		}
		return "cannot read a property of undefined or null"
	}
	if strings.HasPrefix(message, "Value is not an object: ") {
		return "the right side of in is not a record or a list"
	}
	return someError
}

// between returns what stands between a text's beginning and its last end.
func between(text, begin, end string) (string, bool) {
	rest, ok := strings.CutPrefix(text, begin)
	if !ok {
		return "", false
	}
	i := strings.LastIndex(rest, end)
	if i < 0 {
		return "", false
	}
	return rest[:i], true
}

// printable puts spaces for what can't be printed.
func printable(message string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, message)
}
