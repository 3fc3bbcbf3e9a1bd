package condition

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

// A Condition is a compiled expression. It is immutable, safe for concurrent use,
// and belongs to no runtime.
type Condition struct {
	source  string
	always  bool          // the source is empty
	direct  *direct       // nil where it takes the interpreter
	program *goja.Program // makes a function of the parameters
	params  []param
	cost    int // bytes it takes in memory, roughly
	script  bool
}

// Source returns the text that the condition was compiled from.
func (c *Condition) Source() string { return c.source }

// compile passes a source through the gate.
func compile(source string, o *Options) (c *Condition, err error) {
	defer func() {
		if recover() != nil { // a mistake in goja must not end the host
			c, err = nil, refuse(0, "this cannot be compiled: write it in another way").of(source)
		}
	}()
	blank, err := checkText(source, o)
	if err != nil {
		return nil, err
	}
	if blank {
		return &Condition{source: source, always: true, cost: len(source) + 1}, nil
	}
	if r := lex(source, o.MaxDepth); r != nil {
		return nil, r.of(source)
	}
	if strings.Count(source, "=>") > maxArrows {
		return nil, refuse(strings.Index(source, "=>"), noArrows).of(source)
	}
	expression, file, r := parse(source)
	if r != nil {
		return nil, r.of(source)
	}
	direct := newDirect(expression, 1)
	g := gate{limits: o, names: map[string]*ast.Identifier{}, symbols: map[string]*ast.Identifier{}}
	body := g.expr(expression, 1)
	if g.refused != nil {
		return nil, g.refused.of(source)
	}
	g.countOperands()
	program, err := goja.CompileAST(function(body, g.params, file), false)
	if err != nil {
		return nil, refuse(0, "this cannot be compiled: %s", clip(err.Error(), 100)).of(source)
	}
	c = &Condition{source: source, direct: direct, program: program, params: g.params, cost: g.cost(source)}
	if direct != nil {
		c.cost += directSize * g.nodes
	}
	return c, nil
}

// maxArrows is a second line of defence behind the lexer: arrows are what the parser
// takes exponential time for, so a source has few of them even in strings.
const maxArrows = 8

// checkText checks what can be seen without parsing; blank means that nothing
// is there to parse.
func checkText(source string, o *Options) (blank bool, err error) {
	if len(source) > o.MaxSource {
		return false, refuse(0, "the condition has %d bytes, at most %d are allowed", len(source), o.MaxSource).of(source)
	}
	if !utf8.ValidString(source) {
		return false, refuse(0, "the condition is not valid UTF-8").of("")
	}
	return strings.IndexFunc(source, func(r rune) bool { return !unicode.IsSpace(r) && r != '\ufeff' }) < 0, nil
}

// parse parses a source, alone, that has passed the lexer.
func parse(source string) (e ast.Expression, f *file.File, r *refusal) {
	program, err := parser.ParseFile(nil, "", source, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, nil, syntaxError(source, err)
	}
	if len(program.Body) > 1 {
		return nil, nil, refuse(int(program.Body[1].Idx0())-1, "a condition is one expression: join conditions by && or ||")
	}
	if len(program.Body) == 1 {
		if statement, ok := program.Body[0].(*ast.ExpressionStatement); ok {
			return statement.Expression, program.File, nil
		}
	}
	return nil, nil, refuse(0, noStatements)
}

// syntaxError makes a refusal of the parser's error.
func syntaxError(source string, err error) *refusal {
	var list parser.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return refuse(offsetOf(source, list[0].Position), "%s", syntaxMessage(list[0].Message))
	}
	return refuse(0, "this is not valid JavaScript")
}

// syntaxMessage makes a sentence of the parser's message.
func syntaxMessage(message string) string {
	switch {
	case message == "Unexpected end of input":
		return "the condition ends too early: a value or a closing bracket is missing"
	case strings.HasPrefix(message, "Unexpected"):
		return "this is not valid JavaScript: u" + clip(message[1:], 100)
	}
	return "this is not valid JavaScript: " + clip(message, 100)
}

// offsetOf converts a position of the parser's, whose columns are bytes.
func offsetOf(source string, p file.Position) int {
	starts := lineStarts(source)
	return starts[min(max(p.Line, 1), len(starts))-1] + max(p.Column, 1) - 1
}

// function wraps the tree in a function of the parameters. No text is involved, so
// nothing in the source can end the function early.
func function(body ast.Expression, params []param, f *file.File) *ast.Program {
	list := make([]*ast.Binding, len(params))
	for i := range params {
		list[i] = &ast.Binding{Target: &ast.Identifier{Name: placeholder(i), Idx: 1}}
	}
	return &ast.Program{
		File: f,
		Body: []ast.Statement{&ast.ExpressionStatement{Expression: &ast.FunctionLiteral{
			Function:      1,
			ParameterList: &ast.ParameterList{Opening: 1, List: list, Closing: 1},
			Body: &ast.BlockStatement{
				LeftBrace: 1, RightBrace: 1,
				List: []ast.Statement{&ast.ReturnStatement{Return: 1, Argument: body}},
			},
		}}},
	}
}

// cost estimates the memory that the compiled condition takes.
func (g *gate) cost(source string) int {
	const base, perNode, perParam, perInstruction = 1024, 72, 48, 128
	cost := base + 2*len(source) + perNode*g.nodes + perParam*len(g.params)
	for _, p := range g.params {
		if p.kind == paramPattern {
			cost += perInstruction * p.pattern.size
		}
	}
	return cost
}
