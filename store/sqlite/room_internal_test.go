package sqlite

import (
	"slices"
	"testing"
)

// What one has taken is nobody else's until it is given back, and then it is empty.
func TestRoom(t *testing.T) {
	var r room[string]
	first := append(r.take(3), "a", "b", "c")
	second := append(r.take(3), "d")
	if !slices.Equal(first, []string{"a", "b", "c"}) {
		t.Fatalf("what was taken first became %q", first)
	}
	r.give(second)
	r.give(first)
	again := r.take(2)
	if len(again) != 0 || cap(again) != cap(first) || &again[:1][0] != &first[0] {
		t.Error("what was given back is not used again")
	}
	if !slices.Equal(again[:3], make([]string, 3)) {
		t.Errorf("it holds %q", again[:3])
	}
	r.give(make([]string, 1, keptRoom+1))
	if c := cap(r.take(1)); c > keptRoom {
		t.Errorf("room for %d values is kept", c)
	}
}

func TestTableRoom(t *testing.T) {
	var r tableRoom[int]
	first, second := r.take(), r.take()
	first[1] = true
	if second[1] {
		t.Fatal("two have taken the same")
	}
	r.give(first)
	again := r.take()
	if len(again) != 0 {
		t.Errorf("what was given back holds %v", again)
	}
	if again[2] = true; !first[2] {
		t.Error("what was given back is not used again")
	}
	for i := range keptRoom + 1 {
		again[i] = true
	}
	r.give(again)
	if r.take()[1] {
		t.Error("a large one is kept")
	}
}

// A boxed value is read of the column's own kind only.
func TestScanBoxed(t *testing.T) {
	var number boxed[int64]
	var text boxed[string]
	if err := (values{int64(1 << 40), "text"}).Scan(&number, &text); err != nil {
		t.Fatal(err)
	}
	if number != box[int64](1<<40) || text != box("text") {
		t.Errorf("read %+v and %+v", number, text)
	}
	for _, row := range []values{{"1", "text"}, {nil, "text"}, {int64(1), int64(1)}, {int64(1), nil}, {int64(1), []byte("text")}} {
		if row.Scan(&number, &text) == nil {
			t.Errorf("of %v it read %+v and %+v", row, number, text)
		}
	}
}

func TestBoxedOr(t *testing.T) {
	var none boxed[string]
	if b := none.or(""); b.argument != "" {
		t.Errorf("an empty text became %+v", b)
	}
	b := box("a")
	if b = b.or("a"); b != box("a") {
		t.Errorf("the same text became %+v", b)
	}
	if b = b.or("b"); b != box("b") {
		t.Errorf("another text became %+v", b)
	}
}
