package powercut_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// A fate is what becomes of the changes that are not synced when the power is cut.
type fate int

const (
	dropped fate = iota // none is there
	kept                // all are
	ordered             // of each file the first few are
	chosen              // any may be there or not
	torn                // any may, and of those that are some sectors may be as before
	fates
)

func (f fate) String() string {
	return [...]string{"dropped", "kept", "ordered", "chosen", "torn"}[f]
}

// An image is what a directory holds: contents by name.
type image map[string][]byte

// powerCut returns what the disk may hold if the power is cut now. The disk itself
// goes on.
func (d *disk) powerCut(fate fate, rng *rand.Rand) image {
	contents := make(map[*file][]byte)
	for _, f := range d.reachable() {
		contents[f] = f.powerCut(fate, rng)
	}
	names := maps.Clone(d.names)
	survives := survivors(fate, len(d.entries), rng)
	for i, e := range d.entries {
		if survives(i) {
			link(names, e)
		}
	}
	result := make(image)
	for name, f := range names {
		result[name] = contents[f]
	}
	return result
}

// survivors returns which of so many changes are there afterwards.
func survivors(fate fate, changes int, rng *rand.Rand) func(i int) bool {
	first := rng.IntN(changes + 1)
	return func(i int) bool {
		switch fate {
		case dropped:
			return false
		case kept:
			return true
		case ordered:
			return i < first
		default:
			return rng.IntN(2) == 0
		}
	}
}

func (f *file) powerCut(fate fate, rng *rand.Rand) []byte {
	content := slices.Clone(f.content)
	survives := survivors(fate, len(f.changes), rng)
	for i, c := range f.changes {
		switch {
		case !survives(i):
		case fate == torn && c.kind == written:
			content = c.tear(content, rng)
		default:
			content = c.apply(content)
		}
	}
	return content
}

// sectorSize is the number of bytes that a disk writes all or none of.
const sectorSize = 512

// tear makes a part of a write: some of its sectors. The file may have become longer
// although the new sectors are not there: then it holds zeros, or whatever was on the
// disk. Bytes that the write is not about stay as they are.
func (c change) tear(content []byte, rng *rand.Rand) []byte {
	garbage := rng.IntN(2) == 0
	grow := func(size int) {
		before := len(content)
		if size <= before {
			return
		}
		content = resize(content, size)
		for i := before; garbage && i < size; i++ {
			content[i] = byte(rng.Uint32())
		}
	}
	end := int(c.offset) + len(c.bytes)
	if rng.IntN(2) == 0 {
		grow(end)
	}
	for from := int(c.offset); from < end; {
		to := min(end, (from/sectorSize+1)*sectorSize)
		if rng.IntN(2) == 0 {
			grow(to)
			copy(content[from:to], c.bytes[from-int(c.offset):])
		}
		from = to
	}
	return content
}

// write writes an image into a directory.
func (i image) write(dir string) error {
	for name, content := range i {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
