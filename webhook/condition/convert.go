package condition

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/ringback-dev/ringback/webhook"
)

// maxDepth is how deep lists and maps are shown to conditions.
const maxDepth = 8

// exact is the largest whole number up to which JavaScript has all of them.
const exact = 1 << 53

// value converts a field's value that stands at the given depth, from 1. It takes
// no time for what lists and maps hold: that is converted when it is asked for.
//
// The same value must come out for an event just dispatched and for one that was
// stored meanwhile, whose numbers are json.Number and whose times are text: so
// numbers are told apart by how they are written.
func (r *realm) value(value any, depth int) goja.Value {
	switch v := value.(type) {
	case nil:
		return goja.Null()
	case bool:
		return r.vm.ToValue(v)
	case string:
		return r.vm.ToValue(v)
	case int:
		return r.integer(int64(v))
	case int64:
		return r.integer(v)
	case float64:
		if v != math.Trunc(v) || math.Abs(v) <= exact {
			return r.vm.ToValue(v)
		}
	case json.Number:
		return r.numeral(string(v))
	case time.Time:
		return r.time(v)
	case []any:
		if depth > maxDepth {
			return goja.Undefined()
		}
		return r.newList(&list{realm: r, items: v, depth: depth})
	case map[string]any:
		if depth > maxDepth {
			return goja.Undefined()
		}
		return r.newObject(&mapObject{realm: r, entries: v, depth: depth})
	}
	var buf [64]byte
	return r.numeral(string(webhook.AppendJSON(buf[:0], value)))
}

func (r *realm) integer(i int64) goja.Value {
	if i > exact || i < -exact {
		return r.vm.ToValue(strconv.FormatInt(i, 10))
	}
	return r.vm.ToValue(i)
}

// numeral converts a number by its text; null for what is none.
func (r *realm) numeral(text string) goja.Value {
	f, err := strconv.ParseFloat(text, 64)
	switch whole := !strings.ContainsAny(text, ".eE"); {
	case whole && math.Abs(f) >= exact && err == nil:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return r.integer(i)
		}
		return r.vm.ToValue(text)
	case math.IsInf(f, 0):
		return r.vm.ToValue(text)
	case err != nil && f == 0:
		return goja.Null()
	}
	return r.vm.ToValue(f)
}

func (r *realm) time(t time.Time) goja.Value {
	var buf [40]byte
	return r.vm.ToValue(string(webhook.AppendTime(buf[:0], t)))
}
