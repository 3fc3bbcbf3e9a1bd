package dispatch_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

func TestDelivery(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()

		posts := b.Network.Posts()
		if len(posts) != 1 {
			t.Fatalf("%d posts, want 1", len(posts))
		}
		p := posts[0]
		if want := "https://example.com/hook"; p.URL != want {
			t.Errorf("posted to %s, want %s", p.URL, want)
		}
		for name, want := range map[string]string{
			"Content-Type":      "application/json; charset=utf-8",
			"User-Agent":        "ringback/" + webhook.Version,
			"ringback-callback": c.ID,
			"webhook-id":        "1-30_" + c.ID,
			"webhook-timestamp": strconv.FormatInt(p.Time.Unix(), 10),
		} {
			if got := p.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("header %s is %q, want %q", name, got, want)
			}
		}
		if !strings.Contains(p.Body, `"event":"1-30","sequence":1,`) {
			t.Errorf("body: %s", p.Body)
		}

		d := b.Delivery("1", 30, c)
		if d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
			t.Errorf("the delivery is %s after %d attempts", d.State, d.Attempts)
		}
		attempts, err := b.Store.Attempts(t.Context(), d.ID)
		if err != nil || len(attempts) != 1 || attempts[0].Status != 200 || attempts[0].Error != "" {
			t.Errorf("attempts: %+v, %v", attempts, err)
		}
	})
}

func TestFormats(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Callback("xml", webhook.Callback{Method: webhook.MethodXML})
		b.Callback("form", webhook.Callback{Encoding: webhook.EncodingForm})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()

		got := make(map[string]post)
		for _, p := range b.Network.Posts() {
			got[p.URL[len("https://example.com/"):]] = p
		}
		if p := got["xml"]; p.Header.Get("Content-Type") != "application/xml; charset=utf-8" ||
			!strings.Contains(p.Body, "<age>30</age>") {
			t.Errorf("XML: %v %s", p.Header, p.Body)
		}
		p := got["form"]
		form, err := url.ParseQuery(p.Body)
		if err != nil || p.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
			len(form) != 1 || !strings.Contains(form.Get("json"), `"age":30`) {
			t.Errorf("form: %v %s", p.Header, p.Body)
		}
	})
}

// Who hears what: by scope, by action, by condition, and only what was appended
// after the callback was created.
func TestMatching(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Dispatch("early", 1)
		b.Callback("all", webhook.Callback{})
		b.Callback("update", webhook.Callback{Action: webhook.ActionUpdate})
		b.Callback("delete", webhook.Callback{Action: webhook.ActionDelete})
		b.Callback("adult", webhook.Callback{Expression: "age >= 18"})
		b.Callback("broken", webhook.Callback{Expression: "age >="})
		b.Callback("fails", webhook.Callback{Expression: "profile.fields"})
		b.Callback("elsewhere", webhook.Callback{Database: "789"})
		b.Callback("collection", webhook.Callback{Collection: "orders"})
		b.Callback("both", webhook.Callback{Database: "788", Collection: "orders"})
		b.Callback("other", webhook.Callback{Database: "789", Collection: "orders"})
		b.Start()
		b.Dispatch("1", 17, 18)
		order := update("1", 5)
		order.ID, order.Collection = "order", "orders"
		order.Subprofile = &webhook.Record{ID: "9", Fields: map[string]any{"amount": 5}}
		if err := b.Engine.Dispatch(b.Context(), order); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()

		got := make(map[string]int)
		for _, p := range b.Network.Posts() {
			got[p.URL[len("https://example.com/"):]]++
		}
		want := map[string]int{"all": 2, "update": 2, "adult": 1, "collection": 1, "both": 1}
		for name := range got {
			if want[name] == 0 {
				t.Errorf("%s heard %d changes, want none", name, got[name])
			}
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s heard %d changes, want %d", name, got[name], want[name])
			}
		}
	})
}

// A callback that is created, edited or deleted while the engine runs counts from
// the next event on.
func TestRegistryChanges(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Start()
		b.Dispatch("1", 1)
		synctest.Wait()
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("1", 2)
		synctest.Wait()
		c.Expression = "age > 3"
		c, err := b.Store.UpdateCallback(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		b.Dispatch("1", 3, 4)
		synctest.Wait()
		if err := b.Store.DeleteCallback(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		b.Dispatch("1", 5)
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "2 4" {
			t.Errorf("heard of %s, want 2 4", got)
		}
	})
}

// A message that can't be encoded within the limit ends as a dead delivery that
// says so; the callback's other deliveries are not held up.
func TestMessageTooLarge(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		xml := b.Callback("xml", webhook.Callback{Method: webhook.MethodXML})
		json := b.Callback("json", webhook.Callback{})
		b.Start()
		event := update("1", 30)
		ones := make([]any, webhook.MaxMessage/8)
		for i := range ones {
			ones[i] = 1
		}
		event.Profile.Fields["list"] = ones
		if err := b.Engine.Dispatch(b.Context(), event); err != nil {
			t.Fatal(err)
		}
		b.Dispatch("1", 31)
		synctest.Wait()

		if d := b.Delivery("1", 30, xml); d.State != webhook.DeliveryDead || d.Reason == "" || d.Attempts != 0 {
			t.Errorf("too large as XML: %+v", d)
		}
		for _, d := range []webhook.Delivery{b.Delivery("1", 30, json), b.Delivery("1", 31, xml)} {
			if d.State != webhook.DeliveryDelivered {
				t.Errorf("%s is %s, want delivered", d.ID, d.State)
			}
		}
	})
}

// Receivers that hang, or have not shown yet that they answer, have one request each in
// flight, apart from those that answer: however many hang, the others do not wait.
func TestHangingReceivers(t *testing.T) {
	o := &dispatch.Options{Concurrency: 4, PerCallback: 2, Retry: dispatch.Retry{Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if r.URL.Path != "/fast" {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(200, ""), nil
		}
		const hanging, records = 50, 20
		for i := range hanging {
			b.Callback("hang/"+strconv.Itoa(i), webhook.Callback{})
		}
		b.Callback("fast", webhook.Callback{})
		b.Start()
		for i := range records {
			b.Dispatch(strconv.Itoa(i+1), 1)
		}
		synctest.Wait() // no time has passed
		posts := make(map[string]int)
		for _, p := range b.Network.Posts() {
			posts[p.URL]++
		}
		if got := posts["https://example.com/fast"]; got != records {
			t.Errorf("%d posts to the receiver that answers, want %d", got, records)
		}
		for i := range hanging {
			if got := posts["https://example.com/hang/"+strconv.Itoa(i)]; got != 1 {
				t.Errorf("%d posts to receiver %d, which hangs, want 1", got, i)
			}
		}
	})
}

// Requests in flight to one callback are bounded, and so are all of them together.
func TestConcurrency(t *testing.T) {
	o := &dispatch.Options{Concurrency: 6, PerCallback: 4}
	inBubble(t, o, func(b *bench) {
		release := make(chan struct{})
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n > 1 {
				<-release
			}
			return answer(200, ""), nil
		}
		b.Callback("a", webhook.Callback{})
		b.Callback("b", webhook.Callback{})
		b.Start()
		b.Dispatch("first", 1)
		synctest.Wait() // both have answered
		for i := range 20 {
			b.Dispatch(strconv.Itoa(i+1), 1)
		}
		synctest.Wait()
		posts := make(map[string]int)
		for _, p := range b.Network.Posts()[2:] {
			posts[p.URL]++
		}
		if x, y := posts["https://example.com/a"], posts["https://example.com/b"]; x+y != 6 || max(x, y) > 4 {
			t.Errorf("%d and %d posts in flight, want 6 in all and at most 4", x, y)
		}
		close(release)
		synctest.Wait()
		if got := len(b.Network.Posts()); got != 42 {
			t.Errorf("%d posts in the end, want 42", got)
		}
	})
}
