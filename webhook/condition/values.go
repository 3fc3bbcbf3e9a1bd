package condition

import (
	"slices"
	"strconv"

	"github.com/dop251/goja"
)

// readOnly is the part of an object's behaviour that refuses changes. No expression
// can ask for one; scripts can, and are ignored.
type readOnly struct{}

func (readOnly) Set(string, goja.Value) bool { return false }
func (readOnly) Delete(string) bool          { return false }

// objectSize is the memory that an object takes which shows a list or a map.
const objectSize = 256

// newObject makes an object that inherits nothing that has a name.
func (r *realm) newObject(o goja.DynamicObject) *goja.Object {
	object := r.vm.NewDynamicObject(o)
	object.SetPrototype(r.plain)
	return object
}

// A mapObject shows a map of an event.
type mapObject struct {
	readOnly
	realm   *realm
	entries map[string]any
	depth   int
	inner   map[string]goja.Value // lists and maps among the entries, which have an identity
}

func (o *mapObject) Get(name string) goja.Value {
	if v, ok := o.inner[name]; ok {
		return v
	}
	entry, ok := o.entries[name]
	if !ok {
		return nil
	}
	v := o.realm.value(entry, o.depth+1)
	if _, object := v.(*goja.Object); object {
		o.realm.charge(objectSize)
		if o.inner == nil {
			o.inner = make(map[string]goja.Value)
		}
		o.inner[name] = v
	}
	return v
}

func (o *mapObject) Has(name string) bool { _, ok := o.entries[name]; return ok }

func (o *mapObject) Keys() []string { return sortedKeys(o.entries) }

// A list shows a list of an event: values of a field, or texts.
type list struct {
	realm *realm
	items []any
	texts []string
	depth int
	inner map[int]goja.Value // as in mapObject
	named bool               // each text can also be asked for by name
}

func (r *realm) newList(l *list) *goja.Object {
	object := r.vm.NewDynamicArray(l)
	if l.named {
		names := r.vm.NewDynamicObject(&nameObject{list: l})
		names.SetPrototype(r.lists)
		object.SetPrototype(names)
	}
	return object
}

func (l *list) Len() int { return max(len(l.items), len(l.texts)) }

// Get returns an entry. goja asks here for every name that is a whole number.
func (l *list) Get(i int) goja.Value {
	if v := l.item(i); v != nil {
		return v
	}
	if l.named && l.has(strconv.Itoa(i)) {
		return l.realm.vm.ToValue(true)
	}
	return nil
}

func (l *list) Set(int, goja.Value) bool { return false }
func (l *list) SetLen(int) bool          { return false }

// item returns an entry, nil where there is none.
func (l *list) item(i int) goja.Value {
	if i < 0 || i >= l.Len() {
		return nil
	}
	if l.texts != nil {
		return l.realm.vm.ToValue(l.texts[i])
	}
	if v, ok := l.inner[i]; ok {
		return v
	}
	v := l.realm.value(l.items[i], l.depth+1)
	if _, object := v.(*goja.Object); object {
		l.realm.charge(objectSize)
		if l.inner == nil {
			l.inner = make(map[int]goja.Value)
		}
		l.inner[i] = v
	}
	return v
}

// has reports whether a text is in the list.
func (l *list) has(text string) bool { return slices.Contains(l.texts, text) }

// equal returns a function that compares entries with v as === does. Texts, of
// which a list can have very many, it compares without converting them.
func (l *list) equal(v goja.Value) func(i int) bool {
	s, isText := v.(goja.String)
	var sought string
	if isText {
		l.realm.charge(textSize(s.Length()))
		sought = s.String()
	}
	return func(i int) bool {
		l.realm.tick(i)
		if l.texts != nil {
			return isText && l.texts[i] == sought && l.item(i).StrictEquals(v)
		}
		switch entry := l.items[i].(type) {
		case string:
			if !isText || entry != sought {
				return false
			}
		case []any, map[string]any: // equal to itself only, once it has been asked for
			known, ok := l.inner[i]
			return ok && known.StrictEquals(v)
		}
		return l.item(i).StrictEquals(v)
	}
}

// A nameObject has the texts of a list as properties that are true.
type nameObject struct {
	readOnly
	list *list
}

func (o *nameObject) Get(name string) goja.Value {
	if o.list.has(name) {
		return o.list.realm.vm.ToValue(true)
	}
	return nil
}

func (o *nameObject) Has(name string) bool { return o.list.has(name) }
func (o *nameObject) Keys() []string       { return nil }
