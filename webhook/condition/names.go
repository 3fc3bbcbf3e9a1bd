package condition

import (
	"slices"

	"github.com/dop251/goja"
)

// A scopeName is a name that every condition has, whatever the record's fields are.
type scopeName uint8

const (
	nameField scopeName = iota // none of the others: a field or a built-in
	nameProfile
	nameSubprofile
	nameOld
	nameChanged
	nameAction
	nameTrigger
	nameDatabase
	nameCollection
	nameUndefined
	nameNaN
	nameInfinity
)

var scopeNames = map[string]scopeName{
	"profile": nameProfile, "subprofile": nameSubprofile, "old": nameOld, "changed": nameChanged,
	"action": nameAction, "trigger": nameTrigger, "database": nameDatabase, "collection": nameCollection,
	"undefined": nameUndefined, "NaN": nameNaN, "Infinity": nameInfinity,
}

// functionNames are the built-ins that may be called by their bare name.
var functionNames = []string{"Boolean", "Number", "String", "isFinite", "isNaN", "parseFloat", "parseInt"}

// builtinNames are the built-ins that have names of their own.
var builtinNames = append(slices.Clone(functionNames), "Array", "Date", "Math")

// methodNames are the methods that may be called, whatever has them.
var methodNames = []string{
	// strings, lists
	"at", "charAt", "charCodeAt", "codePointAt", "endsWith", "includes", "indexOf", "join", "lastIndexOf",
	"match", "search", "slice", "split", "startsWith", "substr", "substring", "toLowerCase", "toString",
	"toUpperCase", "trim", "trimEnd", "trimStart",
	// regular expressions
	"exec", "test",
	// numbers, Number, Array, Date
	"isArray", "isFinite", "isInteger", "isNaN", "isSafeInteger", "now", "parse", "parseFloat", "parseInt",
	"toExponential", "toFixed", "toPrecision",
	// Math
	"abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clz32", "cos", "cosh",
	"exp", "expm1", "floor", "fround", "hypot", "imul", "log", "log10", "log1p", "log2", "max", "min", "pow",
	"round", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
}

// methodSymbols are the keys under which a runtime keeps the methods. A condition
// can't make a symbol, so a method can be called only where the gate has seen its
// name, and no method is in the way of a field's name.
var methodSymbols = func() map[string]*goja.Symbol {
	symbols := make(map[string]*goja.Symbol, len(methodNames))
	for _, name := range methodNames {
		symbols[name] = goja.NewSymbol(name)
	}
	return symbols
}()

// Methods returns the names of the methods that conditions may call, sorted.
func Methods() []string { return slices.Sorted(slices.Values(methodNames)) }
