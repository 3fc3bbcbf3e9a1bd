package sqlite

// A boxed is a value of a row, and the same as an argument of a statement: to make one of
// the other takes memory.
type boxed[T int64 | string] struct {
	value    T
	argument any
}

// box returns a value boxed.
func box[T int64 | string](value T) boxed[T] { return boxed[T]{value, value} }

// or returns a value boxed, as it is already where it is the same.
func (b boxed[T]) or(value T) boxed[T] {
	if b.argument != nil && b.value == value {
		return b
	}
	return box(value)
}
