package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// blocks returns the code of a language that the README shows, block by block.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(readme, -1) {
		all = append(all, string(match[1]))
	}
	return all
}

// TestReadmeShowsTheHost: all Go that the README shows is that of host_test.go.
func TestReadmeShowsTheHost(t *testing.T) {
	want := []string{
		source(t, "host", "rename", "tell"),
		source(t, "mountBelow", "mountEach", "databaseCallbacks"),
		source(t, "verified"),
		source(t, "TestTell"),
	}
	shown := blocks(t, "go")
	if len(shown) != len(want) {
		t.Fatalf("the README has %d blocks of Go, want %d", len(shown), len(want))
	}
	for i := range want {
		if shown[i] != want[i] {
			t.Errorf("the README shows\n%s\nwant\n%s", shown[i], want[i])
		}
	}
}

// source returns functions of host_test.go as they are written there, with their
// comments.
func source(t *testing.T, names ...string) string {
	t.Helper()
	text, err := os.ReadFile("host_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]string{}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			begin := function.Pos()
			if function.Doc != nil {
				begin = function.Doc.Pos()
			}
			functions[function.Name.Name] = string(text[files.Position(begin).Offset:files.Position(function.End()).Offset])
		}
	}
	var wanted []string
	for _, name := range names {
		if functions[name] == "" {
			t.Fatalf("host_test.go has no function %s", name)
		}
		wanted = append(wanted, functions[name]+"\n")
	}
	return strings.Join(wanted, "\n")
}

// TestReadmeShowsRealMessages: the messages that the README shows are, but for white
// space, what the golden files have.
func TestReadmeShowsRealMessages(t *testing.T) {
	golden := func(name string) string {
		content, err := os.ReadFile(filepath.Join("../../webhook/message/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(first(t, "json"))); err != nil {
		t.Fatal(err)
	}
	if want := golden("update.json"); compact.String() != want {
		t.Errorf("the README shows\n%s\nwant\n%s", &compact, want)
	}
	between := regexp.MustCompile(`>\s+<`)
	shown := strings.TrimSpace(between.ReplaceAllString(first(t, "xml"), "><"))
	if want := between.ReplaceAllString(golden("update.xml"), "><"); shown != want {
		t.Errorf("the README shows\n%s\nwant\n%s", shown, want)
	}
}

func first(t *testing.T, language string) string {
	t.Helper()
	all := blocks(t, language)
	if len(all) == 0 {
		t.Fatalf("the README shows no %s", language)
	}
	return all[0]
}

// TestReadmeLimits: the limits that the README gives are those of the code.
func TestReadmeLimits(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	pauses := dispatch.DefaultPauses()
	attempts := fmt.Sprintf("| attempts | %d: at once, then after ", len(pauses)+1)
	for i, pause := range pauses {
		if i > 0 {
			attempts += ", "
		}
		attempts += words(pause)
	}
	for _, row := range []string{
		attempts,
		fmt.Sprintf("| URL | %s bytes |", thousands(webhook.MaxURL)),
		fmt.Sprintf("| expression | %s bytes |", thousands(webhook.MaxExpression)),
		fmt.Sprintf("| message | %d MiB |", webhook.MaxMessage>>20),
		fmt.Sprintf("| ID of a database, collection or record | %d bytes |", webhook.MaxID),
		fmt.Sprintf("| nesting of a field's value | %d |", webhook.MaxDepth),
	} {
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README has no %q", row)
		}
	}
}

// words writes a duration as the README does: 5 s, 30 min, 2 h.
func words(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
