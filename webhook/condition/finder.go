package condition

import (
	"strings"

	"github.com/dop251/goja"
)

// A finder looks for a text in another one by the algorithm of Knuth, Morris and
// Pratt, in time proportional to the lengths. goja's own search can take their
// product, for texts beyond ASCII made for it, and can't be stopped.
type finder struct {
	realm  *realm
	text   goja.String
	sought goja.String
	size   int // of sought
	// Short ASCII, which is most of what is searched, is searched directly.
	direct                 bool
	textASCII, soughtASCII string
	border                 []int32 // of each prefix of sought: the length of its longest border
}

// shortText is up to which length texts are converted to be searched directly.
const shortText = 1024

func (r *realm) newFinder(text, sought goja.String) *finder {
	f := &finder{realm: r, text: text, sought: sought, size: sought.Length()}
	if n := text.Length(); n <= shortText && f.size <= n {
		f.textASCII, f.soughtASCII = text.String(), sought.String()
		f.direct = len(f.textASCII) == n && len(f.soughtASCII) == f.size // bytes are units
	}
	return f
}

// next returns the first position from start on where the text has what is sought,
// -1 when there is none.
func (f *finder) next(start int) int {
	if f.direct {
		if i := strings.Index(f.textASCII[start:], f.soughtASCII); i >= 0 {
			return start + i
		}
		return -1
	}
	found := -1
	f.each(start, func(i int) bool { found = i; return false })
	return found
}

// last returns the last position up to end where the text has what is sought.
func (f *finder) last(end int) int {
	found := -1
	f.each(0, func(i int) bool {
		if i <= end {
			found = i
		}
		return i < end
	})
	return found
}

// each calls visit for each position from start on, until it returns false.
func (f *finder) each(start int, visit func(int) bool) {
	const often = 1 << 14 // how often to look at the clock
	n := f.text.Length()
	if f.size > n-start {
		return
	}
	if f.size == 0 {
		for i := start; i <= n && visit(i); i++ {
		}
		return
	}
	f.prepare()
	k := int32(0)
	for i := start; i < n; i++ {
		if i%often == 0 && f.realm.expired() {
			f.realm.expire()
		}
		k = f.extend(k, f.text.CharAt(i))
		if int(k) == f.size {
			if !visit(i - f.size + 1) {
				return
			}
			k = f.border[k-1]
		}
	}
}

func (f *finder) prepare() {
	if f.border != nil {
		return
	}
	f.realm.charge(4 * f.size)
	f.border = make([]int32, f.size)
	for i := 1; i < f.size; i++ {
		f.border[i] = f.extend(f.border[i-1], f.sought.CharAt(i))
	}
}

// extend returns how much of what is sought has been seen, once c follows where k of
// it had been.
func (f *finder) extend(k int32, c uint16) int32 {
	for k > 0 && c != f.sought.CharAt(int(k)) {
		k = f.border[k-1]
	}
	if c == f.sought.CharAt(int(k)) {
		k++
	}
	return k
}
