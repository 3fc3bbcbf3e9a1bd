// Package condition judges events by conditions that strangers write: one
// JavaScript expression each, such as
//
//	profile.fields.age >= 18 && profile.interests.mac
//
// Whole JavaScript can't be run safely inside a process (an interpreter has
// built-ins that nothing can interrupt, and no limit on memory), so a condition
// passes a gate before it runs: [Evaluator.Compile] parses it, walks its syntax
// tree against an allow-list and refuses the rest with line, column and what to
// write instead. What passes runs in a runtime that has nothing of the host and
// hardly anything of JavaScript in it, within a deadline and limits on memory.
//
// # What a condition sees
//
// A name means the first of these that has it:
//
//   - undefined, NaN, Infinity;
//   - profile, subprofile and old: records, as described below;
//   - changed: the names of the fields that changed, sorted;
//   - action ("create", "update" or "delete"), trigger, database, and collection
//     (0 for the change of a profile, as in the message);
//   - a field of the record that changed;
//   - a built-in: Math, Number, String, Boolean, Array, Date, parseInt,
//     parseFloat, isNaN, isFinite;
//   - otherwise it is undefined. There is no ReferenceError.
//
// A record has ID, fields, interests, created and modified, and then its fields
// once more, straight on it; a field with one of those five names is reached
// through fields. What a record lacks is undefined. Nothing is inherited: a name
// such as constructor or toString means a field or nothing. profile is the
// profile (of a changed subprofile: its parent), subprofile the subprofile that
// changed, old the record that changed as it was before. Where there is none (the
// subprofile in the change of a profile, old in a create) it is an empty record, so
// that asking it for a field gives undefined and not an error.
//
// Interests are a list, whose entries can also be asked by name:
// interests.includes('mac') or interests.mac. The entries "length" and
// whole numbers, which mean something else on a list, need includes.
//
// Numbers are JavaScript's; a whole number beyond 2^53, which JavaScript
// would round, is a string. Times are strings in RFC 3339, UTC. Lists
// and maps are read-only and end at depth 8, below which everything is undefined.
//
// # What a condition may do
//
// All operators without an effect, regular expression literals (without
// look-around and back-references; flags i, m, s, u), list literals, and the
// methods that need no more memory than they are given: see [Methods] for their
// names. A method's name can only be written after a dot and called at once;
// asked for as a value it is undefined, as on any record that has no such field.
//
// Date.parse reads RFC 3339 (a date alone means midnight UTC, a time without an
// offset means UTC) and gives milliseconds; Date.now() is the time of the event, so
// that the same event always gets the same verdict.
//
// Regular expressions run on Go's engine, which needs time in proportion to the text.
// It differs from JavaScript in what hardly anybody sees: flag i folds case as Unicode
// does, also without flag u, and a group that is repeated keeps what it captured in an
// earlier round.
//
// Comparisons of fields with constants and with each other, joined by &&, || and !, are
// evaluated without the runtime where no value has to be converted, which takes a small
// part of the time and comes to the same result.
//
// Where text is longer than a condition could sensibly look at, the limits
// apply: they make a condition fail, never the process.
package condition
