package condition

// What the gate refuses by its looks, each with what to write instead.

const (
	noFunctions  = "functions are not available here: use methods that need none, such as ['a', 'b'].includes(x)"
	noArrows     = "arrow functions are not available here: use methods that need none, such as ['a', 'b'].includes(x)"
	noStatements = "statements are not available here: a condition is one expression, such as a == 1 ? b : c"
	noVariables  = "variables are not available here: write the value where it is needed"
	noBraces     = "braces are not available here: a condition is one expression, without blocks and object literals"
	noTemplates  = "template literals are not available here: join strings by +, or write them in '…' or \"…\""
	noSpread     = "spreading (...) is not available here: write the values one by one"
	noCounting   = "++ and -- are not available here: a condition changes nothing; use + 1 or - 1"
	noAssignment = "assignment is not available here: use == to compare"
	noNew        = "new is not available here: dates are text in RFC 3339, compare them as text or by Date.parse(x)"
	noThis       = "this is not available here: use profile, old, or the name of a field"
	noDelete     = "delete is not available here: a condition changes nothing"
	noInstanceof = "instanceof is not available here: use typeof x == 'string', or Array.isArray(x)"
	noComma      = "the comma operator is not available here: join conditions by && or ||"
	noBigInts    = "bigints are not available here: whole numbers beyond 2^53 are strings, compare them as such"
	noHoles      = "a list may not have holes: write undefined"
	noChain      = "comparisons can't be chained: write a < b && b < c"
)

// refusedPunctuation is checked in this order, outside of strings, regular
// expressions and comments.
var refusedPunctuation = []struct{ text, message string }{
	{"=>", noArrows},
	{"{", noBraces},
	{"}", noBraces},
	{"`", noTemplates},
	{"...", noSpread},
	{"++", noCounting},
	{"--", noCounting},
	{"#", "private names are not available here"},
	{"\\", "escapes in names are not available here: write the letter itself, or profile.fields['…']"},
}

// refusedKeywords are refused wherever they are not the name of a property.
var refusedKeywords = map[string]string{
	"async": noFunctions, "await": noFunctions, "function": noFunctions, "yield": noFunctions,
	"class": "classes are not available here",
	"super": "super is not available here",

	"break": noStatements, "case": noStatements, "catch": noStatements, "continue": noStatements,
	"debugger": noStatements, "default": noStatements, "do": noStatements, "else": noStatements,
	"finally": noStatements, "for": noStatements, "if": noStatements, "return": noStatements,
	"switch": noStatements, "throw": noStatements, "try": noStatements, "while": noStatements,
	"with": noStatements, "export": noStatements, "import": noStatements,

	"const": noVariables, "let": noVariables, "var": noVariables,

	"delete": noDelete, "instanceof": noInstanceof, "new": noNew, "this": noThis,
	"enum": "enum is a reserved word",
}

// refusedMethods say what to use instead of a method that is not available.
var refusedMethods = map[string]string{
	"repeat": "write the text out", "padStart": "compare the text as it is", "padEnd": "compare the text as it is",
	"concat": "use +", "replace": "use includes, or a regular expression", "replaceAll": "use includes, or a regular expression",
	"matchAll": "use match", "normalize": "compare the text as it is", "localeCompare": "use < and >, or toLowerCase",
	"toLocaleLowerCase": "use toLowerCase", "toLocaleUpperCase": "use toUpperCase", "toLocaleString": "use toString",

	"forEach": "use includes", "map": "use includes", "filter": "use includes", "find": "use includes",
	"findIndex": "use indexOf", "some": "use includes", "every": "use includes, joined by &&",
	"reduce": "use includes", "sort": "use includes", "reverse": "use at(-1) for the last one",
	"push": noChange, "pop": noChange, "shift": noChange, "unshift": noChange, "splice": noChange,
	"fill": noChange, "flat": "use includes on the inner lists", "keys": "use 'name' in profile.fields",

	"hasOwnProperty": "use 'name' in profile.fields", "hasOwn": "use 'name' in profile.fields",
	"valueOf": "use the value itself", "random": "the same event must always get the same verdict",
	"getTime": "use Date.parse(x)", "getFullYear": "dates are text: use x.slice(0, 4)",
	"getMonth": "dates are text: use x.slice(5, 7)", "toISOString": "dates are text in RFC 3339 already",
	"call": noIndirect, "apply": noIndirect, "bind": noIndirect, "stringify": "use String(x)",
}

const (
	noChange   = "a condition changes nothing"
	noIndirect = "call the method itself"
)
