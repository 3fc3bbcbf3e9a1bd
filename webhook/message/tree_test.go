package message_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// A node is what a message has in both formats: a name, and null, a text or
// children in their order.
type node struct {
	name     string
	null     bool
	text     string
	children []node
}

// TestSameTree: JSON and XML carry the same tree.
func TestSameTree(t *testing.T) {
	for name, event := range events() {
		t.Run(name, func(t *testing.T) { checkTree(t, &event) })
	}
}

// checkTree parses both messages of an event and compares them.
func checkTree(t *testing.T, event *webhook.Event) {
	t.Helper()
	asJSON, asXML := encode(t, webhook.MethodJSON, event), encode(t, webhook.MethodXML, event)
	fromJSON, err := parseJSON(asJSON)
	if err != nil {
		t.Fatalf("JSON: %v\n%q", err, asJSON)
	}
	fromXML, err := parseXML(asXML)
	if err != nil {
		t.Fatalf("XML: %v\n%q", err, asXML)
	}
	if !reflect.DeepEqual(fromJSON, fromXML) {
		t.Fatalf("not the same tree:\n%+v\n%+v\nJSON %s\nXML %s", fromJSON, fromXML, asJSON, asXML)
	}
	order := []string{"action", "timestamp", "event", "sequence", "hops", "cause", "database", "collection", "trigger",
		"profile", "subprofile", "parameters", "old"}
	for _, property := range fromJSON.children {
		i := slices.Index(order, property.name)
		if i < 0 {
			t.Fatalf("property %q is unknown, there twice or out of order", property.name)
		}
		order = order[i+1:]
	}
}

// parseJSON reads a JSON message as XML would show it.
func parseJSON(message []byte) (node, error) {
	if !utf8.Valid(message) {
		return node{}, fmt.Errorf("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	root, err := jsonNode(d, "callback", nil)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return node{}, fmt.Errorf("more after the document: %v", err)
	}
	return root, nil
}

func jsonNode(d *json.Decoder, name string, path []string) (node, error) {
	n := node{name: name}
	path = append(slices.Clip(path), name)
	token, err := d.Token()
	if err != nil {
		return n, err
	}
	switch token := token.(type) {
	case nil:
		n.null = true
	case string:
		n.text = strings.Map(func(r rune) rune {
			if r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF {
				return 0xFFFD
			}
			return r
		}, token)
	case json.Delim:
		for d.More() {
			child := "item"
			if len(path) == 3 && name == "interests" {
				child = "interest"
			}
			if token == '{' {
				key, err := d.Token()
				if err != nil {
					return n, err
				}
				child = key.(string)
			}
			c, err := jsonNode(d, child, path)
			if err != nil {
				return n, err
			}
			n.children = append(n.children, c)
		}
		_, err = d.Token()
	default:
		n.text = fmt.Sprint(token)
	}
	return n, err
}

// parseXML reads an XML message, undoing the mapping of names.
func parseXML(message []byte) (node, error) {
	d := xml.NewDecoder(bytes.NewReader(message))
	open := []node{{}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return node{}, err
		}
		top := &open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Space != "" {
				return node{}, fmt.Errorf("<%s> is in namespace %q", token.Name.Local, token.Name.Space)
			}
			n := node{name: unmapName(token.Name.Local)}
			for _, a := range token.Attr {
				switch {
				case a.Name == xml.Name{Space: "http://www.w3.org/2001/XMLSchema-instance", Local: "nil"} && a.Value == "true":
					n.null = true
				case a.Name == xml.Name{Space: "xmlns", Local: "xsi"} && len(open) == 1:
				default:
					return node{}, fmt.Errorf("attribute %v of <%s>", a, token.Name.Local)
				}
			}
			open = append(open, n)
		case xml.CharData:
			top.text += string(token)
		case xml.EndElement:
			if top.text != "" && len(top.children) > 0 {
				return node{}, fmt.Errorf("<%s> has both text %q and children", token.Name.Local, top.text)
			}
			open = open[:len(open)-1]
			parent := &open[len(open)-1]
			parent.children = append(parent.children, *top)
		case xml.ProcInst:
			if token.Target != "xml" || string(token.Inst) != `version="1.0" encoding="UTF-8"` {
				return node{}, fmt.Errorf("declaration %s %s", token.Target, token.Inst)
			}
		default:
			return node{}, fmt.Errorf("%T: %v", token, token)
		}
	}
	if root := open[0]; len(open) != 1 || len(root.children) != 1 || strings.TrimSpace(root.text) != "" {
		return node{}, fmt.Errorf("not one root: %v", open)
	}
	return open[0].children[0], nil
}

var escape = regexp.MustCompile(`_x(?:[0-9A-F]{6}|[0-9A-F]{4})_`)

// unmapName undoes the mapping of ISO 9075-14.
func unmapName(name string) string {
	return escape.ReplaceAllStringFunc(name, func(e string) string {
		code, err := strconv.ParseUint(e[2:len(e)-1], 16, 32)
		if err != nil {
			panic(err) // the expression admits hexadecimal digits only
		}
		return string(rune(code))
	})
}
