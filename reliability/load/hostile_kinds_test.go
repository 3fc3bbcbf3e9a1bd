package load_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A hostile is what a receiver does to a connection, and the scheme of its URL.
type hostile struct {
	scheme string
	do     func(*rawConn)
}

// drip is the pause between the bytes that a receiver drips.
const drip = 20 * time.Millisecond

// hostileKinds returns what hostile receivers do. Redirects lead to a URL.
func hostileKinds(elsewhere string) map[string]hostile {
	const begin = "HTTP/1.1 200 OK\r\n"
	// reply reads the request, writes some text and then waits for the end.
	reply := func(text string) func(*rawConn) {
		return func(c *rawConn) {
			c.readRequest()
			c.say(text)
			c.wait()
		}
	}
	// flood reads the request, writes some text, and another one without end.
	flood := func(text, again string, pause time.Duration) func(*rawConn) {
		return func(c *rawConn) {
			c.readRequest()
			if c.say(text) {
				c.repeat(again, pause)
			}
		}
	}
	redirect := func(status string) func(*rawConn) {
		return reply("HTTP/1.1 " + status + "\r\nLocation: " + elsewhere + "\r\nContent-Length: 0\r\n\r\n")
	}
	kilobyte := strings.Repeat("x", 1024)
	return map[string]hostile{
		"never reads":        {"http", silent},
		"never answers":      {"http", (*rawConn).wait},
		"closes at once":     {"http", func(*rawConn) {}},
		"resets":             {"http", resetting},
		"resets at once":     {"http", (*rawConn).reset},
		"resets in the body": {"http", func(c *rawConn) { c.readRequest(); c.say(begin + "Content-Length: 99\r\n\r\nx"); c.reset() }},
		"drips a header":     {"http", flood(begin+"X: ", "x", drip)},
		"drips a body":       {"http", flood(begin+"Content-Length: 99999\r\n\r\n", "x", drip)},
		"endless header":     {"http", flood(begin, "X: "+kilobyte+"\r\n", 0)},
		"endless field":      {"http", flood(begin+"X: ", kilobyte, 0)},
		"endless body":       {"http", flood(begin+"Transfer-Encoding: chunked\r\n\r\n", "400\r\n"+kilobyte+"\r\n", 0)},
		"endless chunk line": {"http", flood(begin+"Transfer-Encoding: chunked\r\n\r\n", "0", 0)},
		"endless trailer":    {"http", flood(begin+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: "+kilobyte+"\r\n", 0)},
		"flood of 103":       {"http", flood("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0)},
		"dripping 103":       {"http", flood("", "HTTP/1.1 103 Early Hints\r\n\r\n", drip)},
		"after a 204":        {"http", reply("HTTP/1.1 204 No Content\r\n\r\nand more bytes than there may be")},
		"two answers":        {"http", reply(strings.Repeat(begin+"Content-Length: 2\r\n\r\nok", 2))},
		"301":                {"http", redirect("301 Moved Permanently")},
		"307":                {"http", redirect("307 Temporary Redirect")},
		"101":                {"http", flood("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "x", drip)},
		"status 999":         {"http", reply("HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n")},
		"no HTTP":            {"http", reply("\x00\xff\xfe SSH-2.0-OpenSSH\r\n")},
		"nothing of TLS":     {"https", reply("HTTP/1.1 400 Bad Request\r\n\r\n")},
		// A handshake record of 16 KiB, of which a few bytes come.
		"half of TLS":    {"https", reply("\x16\x03\x03\x40\x00\x02\x00\x00\x51\x03\x03")},
		"dripping TLS":   {"https", flood("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", "\x03", drip)},
		"endless alerts": {"https", flood("", "\x15\x03\x03\x00\x02\x01\x5a", 0)},
	}
}

// hostiles are receivers of all those kinds, with a callback for each.
type hostiles struct {
	t         *testing.T
	store     webhook.Store
	receivers []hostileReceiver
}

type hostileReceiver struct {
	kind, scheme string
	*rawServer
	callback string // its ID
}

func newHostiles(t *testing.T, store webhook.Store, elsewhere string) *hostiles {
	t.Helper()
	h := &hostiles{t: t, store: store}
	for kind, treat := range hostileKinds(elsewhere) {
		r := hostileReceiver{kind: kind, scheme: treat.scheme, rawServer: serveRaw(t, treat.do)}
		r.callback = subscribe(t, store, "hostile", r.url(0)).ID
		h.receivers = append(h.receivers, r)
	}
	return h
}

func (r *hostileReceiver) url(n int) string { return fmt.Sprintf("%s://%s/%d", r.scheme, r.address, n) }

// provoke lets the receivers be called: something has changed, and now and then one of
// them is somewhere else, so that what is known of its health is forgotten.
func (h *hostiles) provoke(n int) {
	h.t.Helper()
	if n%10 == 0 {
		if err := h.store.Dispatch(h.t.Context(), update(fmt.Sprint("hostile-", n), "hostile", fmt.Sprint("h", n), 1)); err != nil {
			h.t.Fatal(err)
		}
	}
	if n%3 != 0 {
		return
	}
	r := &h.receivers[n/3%len(h.receivers)]
	c, err := h.store.Callback(h.t.Context(), r.callback)
	if err != nil {
		h.t.Fatal(err)
	}
	c.URL = r.url(n)
	if _, err := h.store.UpdateCallback(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
}

// check ends the receivers, each of which must have been called.
func (h *hostiles) check() {
	h.t.Helper()
	for _, r := range h.receivers {
		r.close()
		n := r.took.Load()
		h.t.Logf("%s: %d connections", r.kind, n)
		if n == 0 {
			h.t.Errorf("%s: was never called", r.kind)
		}
	}
}
