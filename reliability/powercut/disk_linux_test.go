package powercut_test

import (
	"fmt"
	"maps"
	"slices"
)

// A disk is a directory as a power cut may leave it: what was synced, and what was
// not yet.
type disk struct {
	files   map[uint64]*file // by number, the current one
	names   map[string]*file // of the directory, synced
	entries []entry          // of the directory, not synced
	syncs   map[uint64]int   // by number: the record that it began with
	done    int              // how many records
}

// A file is what is sure to be there, and what was done to it since.
type file struct {
	content []byte
	changes []change
}

// A change is a record of a write or of a truncation.
type change struct {
	record
	at int // among the records
}

// An entry is a name that was given or, without a file, taken away.
type entry struct {
	name string
	file *file
	at   int
}

func newDisk() *disk {
	return &disk{files: make(map[uint64]*file), names: make(map[string]*file), syncs: make(map[uint64]int)}
}

// do makes what the next record tells of.
func (d *disk) do(r record) error {
	at := d.done
	d.done++
	if r.kind == written || r.kind == truncated {
		f := d.files[r.file]
		if f == nil {
			return fmt.Errorf("record %d is about a file that was not created", at)
		}
		f.changes = append(f.changes, change{r, at})
		return nil
	}
	switch r.kind {
	case created:
		f := new(file)
		d.files[r.file] = f
		d.entries = append(d.entries, entry{string(r.bytes), f, at})
	case unlinked:
		d.entries = append(d.entries, entry{string(r.bytes), nil, at})
	case syncBegan:
		d.syncs[r.offset] = at
	case syncEnded:
		return d.sync(r.file, d.syncs[r.offset])
	}
	return nil
}

// sync makes sure of what was done to a file before a record. It is not known to make
// sure of the file's name: that is for a sync of the directory.
func (d *disk) sync(number uint64, before int) error {
	if number == directory {
		for len(d.entries) > 0 && d.entries[0].at < before {
			link(d.names, d.entries[0])
			d.entries = d.entries[1:]
		}
		return nil
	}
	f := d.files[number]
	if f == nil {
		return fmt.Errorf("a file is synced that was not created: %d", number)
	}
	for len(f.changes) > 0 && f.changes[0].at < before {
		f.content = f.changes[0].apply(f.content)
		f.changes = f.changes[1:]
	}
	return nil
}

// pending is how many changes are not synced, of files that may still have a name.
func (d *disk) pending() int {
	n := len(d.entries)
	for _, f := range d.reachable() {
		n += len(f.changes)
	}
	return n
}

// reachable returns the files that may have a name after a power cut.
func (d *disk) reachable() []*file {
	var list []*file
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		list = append(list, d.names[name])
	}
	for _, e := range d.entries {
		if e.file != nil && !slices.Contains(list, e.file) {
			list = append(list, e.file)
		}
	}
	return list
}

func link(names map[string]*file, e entry) {
	if e.file == nil {
		delete(names, e.name)
		return
	}
	names[e.name] = e.file
}

// apply makes a change to a content, which it may overwrite.
func (c change) apply(content []byte) []byte {
	if c.kind == truncated {
		return resize(content, int(c.offset))
	}
	if end := int(c.offset) + len(c.bytes); end > len(content) {
		content = resize(content, end)
	}
	copy(content[c.offset:], c.bytes)
	return content
}

// resize cuts a content off, or fills it up with zeros.
func resize(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size]
	}
	return append(content, make([]byte, size-len(content))...)
}
