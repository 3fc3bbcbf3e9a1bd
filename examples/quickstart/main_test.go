package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/internal/leaktest"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// TestRun: the output shows every message that the program promises, whole, and the
// program leaves nothing behind.
func TestRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var output bytes.Buffer
	if err := run(&output); err != nil {
		t.Fatalf("%v after\n%s", err, &output)
	}
	t.Logf("%s", &output)
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("it leaves %v behind", left)
	}

	text := output.String()
	for _, want := range []string{
		`/all"}`,
		`/apple","expression":"company == 'Apple' && old.company != company"}`,
		`/deleted","method":"xml","action":"delete"}`,
	} {
		if !strings.Contains(text, "registered at /callback/") || !strings.Contains(text, want+"\n") {
			t.Errorf("no registration of %s", want)
		}
	}

	posts := strings.Split(text, "POST ")[1:]
	if len(posts) != 5 {
		t.Fatalf("%d messages", len(posts))
	}
	var actions []string // of the messages to /all
	for _, post := range posts {
		head, rest, _ := strings.Cut(post, "\n")
		body, _, _ := strings.Cut(rest, "\n\n")
		switch head {
		case "/all, application/json; charset=utf-8":
			actions = append(actions, checkJSON(t, body))
		case "/apple, application/json; charset=utf-8":
			if action := checkJSON(t, body); action != "update" || !strings.Contains(body, `"old":{"fields":{"company":"Microsoft"}`) {
				t.Errorf("unexpected message to /apple: %s", body)
			}
		case "/deleted, application/xml; charset=utf-8":
			checkXML(t, body)
		default:
			t.Errorf("unexpected message: %s", post)
		}
	}
	if got := strings.Join(actions, " "); got != "create update delete" {
		t.Errorf("/all hears of %s", got)
	}
	if strings.Contains(strings.Join(posts, ""), "Lemon") {
		t.Error("the change that was rolled back has been told")
	}
}

// checkJSON checks that a message is whole, and returns its action.
func checkJSON(t *testing.T, body string) (action string) {
	t.Helper()
	var message struct {
		Action, Database, Event string
		Collection              int
		Profile                 struct{ Fields map[string]string }
	}
	if err := json.Unmarshal([]byte(body), &message); err != nil {
		t.Errorf("%v in %s", err, body)
	}
	company := map[string]string{"create": "Microsoft", "update": "Apple", "delete": "Apple"}[message.Action]
	if message.Database != "788" || message.Event == "" || message.Profile.Fields["company"] != company {
		t.Errorf("unexpected message: %s", body)
	}
	return message.Action
}

func checkXML(t *testing.T, body string) {
	t.Helper()
	var message struct {
		XMLName xml.Name `xml:"callback"`
		Action  string   `xml:"action"`
		Company string   `xml:"profile>fields>company"`
	}
	if err := xml.Unmarshal([]byte(body), &message); err != nil {
		t.Errorf("%v in %s", err, body)
	}
	if !strings.HasPrefix(body, "<?xml") || message.Action != "delete" || message.Company != "Apple" {
		t.Errorf("unexpected message: %s", body)
	}
}
