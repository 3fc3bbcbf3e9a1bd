package main_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cells returns the cells of the rows of the README's table that has the head.
func cells(t *testing.T, head string) [][]string {
	t.Helper()
	_, table, ok := strings.Cut(readme(t), "\n"+head+"\n")
	if !ok {
		t.Fatalf("the README has no table %s", head)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for _, line := range strings.Split(table, "\n")[1:] {
		var row []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			row = append(row, strings.TrimSpace(cell))
		}
		rows = append(rows, row)
	}
	return rows
}

// TestReadmeWhen: the table of when begins as turns does, which TestWhen makes.
func TestReadmeWhen(t *testing.T) {
	head := "| the condition |"
	for _, when := range whens {
		head += " `" + when + "` |"
	}
	for i, row := range cells(t, head) {
		want := []string{turns[i].name}
		for _, when := range whens {
			cell := ""
			if slices.Contains(strings.Fields(turns[i].fires), when) {
				cell = "fires"
			}
			want = append(want, cell)
		}
		if !slices.Equal(row, want) {
			t.Errorf("the README says %q, want %q", row, want)
		}
	}
}

// TestReadmeRefusals: what the README says is refused is, and what it says to write
// instead is not.
func TestReadmeRefusals(t *testing.T) {
	ev := evaluator(t)
	rows := cells(t, "| refused | example | instead |")
	if len(rows) < 10 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows {
		refused, instead := strings.Trim(row[1], "`"), strings.Trim(row[2], "`")
		if _, err := ev.Compile(refused); err == nil {
			t.Errorf("%s is not refused", refused)
		}
		if _, err := ev.Compile(instead); err != nil {
			t.Errorf("%s: %v", instead, err)
		}
	}
}

// TestReadmeMethods: the README names the methods that there are, those of Math
// together.
func TestReadmeMethods(t *testing.T) {
	ev := evaluator(t)
	named := map[string]bool{}
	for _, row := range cells(t, "| of | methods |") {
		for _, name := range regexp.MustCompile("`([a-zA-Z]+)`").FindAllStringSubmatch(row[1], -1) {
			named[name[1]] = row[0] != "`Math`"
		}
	}
	for _, name := range condition.Methods() {
		if math := judge(t, ev, fmt.Sprintf("typeof Math.%s(1) == 'number'", name)).Verdict == condition.Matched; math == named[name] {
			t.Errorf("the README names %s: %v; it is one of Math: %v", name, named[name], math)
		}
		delete(named, name)
	}
	delete(named, "random")
	if len(named) > 0 {
		t.Errorf("there are no methods %v", named)
	}
}

// TestReadmeConditions: further things that the README says of conditions.
func TestReadmeConditions(t *testing.T) {
	ev := evaluator(t)
	text := readme(t)
	const failing = "nobody.length > 1"
	message := judge(t, ev, failing).Message
	for _, part := range []string{"`" + failing + "`", `"expression_error":"` + message + `"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the README has no %s", part)
		}
	}

	const nodes, depth, patterns, instructions = 1000, 32, 512, 1000
	for _, row := range []string{
		fmt.Sprintf("| size of a condition | %d,%03d names, constants and operators, %d deep |", nodes/1000, nodes%1000, depth),
		fmt.Sprintf("| regular expressions of a condition | %d bytes together; %d,%03d instructions each, counts written out |",
			patterns, instructions/1000, instructions%1000),
	} {
		if !strings.Contains(text, row) {
			t.Errorf("the README has no %q", row)
		}
	}
	repeat := strings.Repeat
	for _, limit := range []struct{ within, beyond string }{
		{repeat("(", depth) + "1" + repeat(")", depth), repeat("(", depth+1) + "1" + repeat(")", depth+1)},
		{repeat("a&&", nodes/2-1) + "a", repeat("a&&", nodes/2) + "a"},
		{"/" + repeat("a", patterns) + "/.test(a)", "/" + repeat("a", patterns+1) + "/.test(a)"},
		{fmt.Sprintf("/a{%d}/.test(a)", instructions/4), fmt.Sprintf("/(ab{%d}){4}/.test(a)", instructions/4)},
	} {
		if _, err := ev.Compile(limit.within); err != nil {
			t.Errorf("%.30s: %v", limit.within, err)
		}
		if _, err := ev.Compile(limit.beyond); err == nil {
			t.Errorf("%.30s is not refused", limit.beyond)
		}
	}
}

func evaluator(t *testing.T) *condition.Evaluator {
	t.Helper()
	ev, err := condition.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// judge judges the creation of a record without fields.
func judge(t *testing.T, ev *condition.Evaluator, expression string) condition.Result {
	t.Helper()
	c, err := ev.Compile(expression)
	if err != nil {
		t.Fatal(err)
	}
	s := ev.Begin(&webhook.Event{Action: webhook.ActionCreate, Database: "788", Profile: webhook.Record{ID: "1"}})
	defer s.End()
	return s.Evaluate(c)
}
