package powercut_test

import (
	"slices"
	"strings"
	"testing"
)

// TestDisk shows what a disk keeps and what it may lose.
func TestDisk(t *testing.T) {
	const number = 7
	old, fresh := strings.Repeat("o", 2*sectorSize), strings.Repeat("n", 2*sectorSize)
	write := func(offset uint64, text string) record { return record{written, number, offset, []byte(text)} }
	create := record{created, number, 0, []byte("f")}
	truncate, remove := record{truncated, number, 1, nil}, record{unlinked, 0, 0, []byte("f")}
	sync := func(file, id uint64) []record {
		return []record{{syncBegan, file, id, nil}, {syncEnded, file, id, nil}}
	}
	name, content := sync(directory, 1), sync(number, 2)
	there := slices.Concat([]record{create, write(0, old)}, name, content)
	then := func(records ...record) []record { return slices.Concat(there, records) }
	absent := "absent"
	for _, test := range []struct {
		name    string
		records []record
		may     []string // be the content; nothing else may
		garbage bool     // but any two bytes may, too
	}{
		{"nothing is synced", []record{create, write(0, "ab")}, []string{absent, "", "ab", "\x00\x00"}, true},
		{"the name is not synced", append([]record{create, write(0, "ab")}, content...),
			[]string{absent, "ab"}, false},
		{"the content is not synced", append([]record{create, write(0, "ab")}, name...),
			[]string{"", "ab", "\x00\x00"}, true},
		{"all is synced", there, []string{old}, false},
		{"sectors", then(write(0, fresh)), []string{
			old, fresh, fresh[:sectorSize] + old[sectorSize:], old[:sectorSize] + fresh[sectorSize:]}, false},
		{"bytes beside a write", then(write(1, "x")), []string{old, "ox" + old[2:]}, false},
		{"a sync that has not ended", then(write(0, "x"), content[0]), []string{old, "x" + old[1:]}, false},
		{"a write during a sync", then(content[0], write(0, "x"), content[1]), []string{old, "x" + old[1:]}, false},
		{"a truncation", then(truncate), []string{old, "o"}, false},
		{"a truncation, synced", then(truncate, content[0], content[1]), []string{"o"}, false},
		{"a removal", then(remove), []string{absent, old}, false},
		{"a removal, synced", then(remove, name[0], name[1]), []string{absent}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := newDisk()
			for _, r := range test.records {
				if err := disk.do(r); err != nil {
					t.Fatal(err)
				}
			}
			seen := make(map[string]int)
			for i := range 2000 {
				content, ok := disk.powerCut(fate(i%int(fates)), newRand(*seed, i))["f"]
				if !ok {
					content = []byte(absent)
				}
				seen[string(content)]++
			}
			for _, content := range test.may {
				if seen[content] == 0 {
					t.Errorf("never %.20q", content)
				}
				delete(seen, content)
			}
			for content := range seen {
				if !test.garbage || len(content) != 2 {
					t.Errorf("once %.20q", content)
				}
			}
		})
	}
}
