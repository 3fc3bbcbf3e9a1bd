package condition

// A Verdict is what a condition says about an event.
type Verdict uint8

// The verdicts. The zero Verdict is NotMatched: nothing fires by mistake.
const (
	NotMatched Verdict = iota
	Matched
	// Failed: the condition came to no answer. It does not fire, and must not be
	// counted as "no" either: its owner has to know.
	Failed
)

// String returns the verdict in lower case, such as "not matched".
func (v Verdict) String() string {
	switch v {
	case Matched:
		return "matched"
	case Failed:
		return "failed"
	}
	return "not matched"
}

// A Class says why a condition failed.
type Class string

// The classes.
const (
	// ClassError: an exception, such as a field of something undefined.
	ClassError Class = "error"
	// ClassDeadline: it took longer than Options.Deadline.
	ClassDeadline Class = "deadline"
	// ClassLimit: it needed more memory than an evaluation may.
	ClassLimit Class = "limit"
	// ClassAnswer: the result is a list, a record or a function, hence neither
	// yes nor no.
	ClassAnswer Class = "not a yes or no"
)

// A Result is what an evaluation came to.
type Result struct {
	Verdict Verdict
	// Class and Message say why; set when Verdict is Failed. Message is for the
	// callback's owner: one line, at most 200 bytes, valid UTF-8. It may quote
	// the condition, never a value of the record (but for what a script throws).
	Class   Class
	Message string
}

func failed(class Class, message string) Result {
	return Result{Verdict: Failed, Class: class, Message: message}
}

func verdict(yes bool) Result {
	if yes {
		return Result{Verdict: Matched}
	}
	return Result{}
}
