package sqlite

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
)

// values are those of a row.
type values []sqldriver.Value

// Scan implements [scanner]. Into a string it reads text and whole numbers, into bytes
// blobs and text, into anything else what is of its kind.
func (v values) Scan(dest ...any) error {
	if len(dest) != len(v) {
		return fmt.Errorf("a row of %d values is to be read into %d", len(v), len(dest))
	}
	for i, value := range v {
		if err := assign(dest[i], value); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

// assign reads a value.
func assign(dest any, value sqldriver.Value) error {
	switch d := dest.(type) {
	case *int64:
		if v, ok := value.(int64); ok {
			*d = v
			return nil
		}
	case *string:
		switch v := value.(type) {
		case string:
			*d = v
			return nil
		case int64:
			*d = strconv.FormatInt(v, 10)
			return nil
		}
	case *boxed[int64]:
		if v, ok := value.(int64); ok {
			*d = boxed[int64]{v, value}
			return nil
		}
	case *boxed[string]:
		if v, ok := value.(string); ok {
			*d = boxed[string]{v, value}
			return nil
		}
	case *bool:
		if v, ok := value.(int64); ok {
			*d = v != 0
			return nil
		}
	case *[]byte:
		switch v := value.(type) {
		case []byte:
			*d = v
			return nil
		case string:
			*d = []byte(v)
			return nil
		case nil:
			*d = nil
			return nil
		}
	case sql.Scanner:
		return d.Scan(value)
	}
	return assignKind(dest, value)
}

// assignKind reads a value into what has a name of its own.
func assignKind(dest any, value sqldriver.Value) error {
	into := reflect.ValueOf(dest).Elem()
	switch v := value.(type) {
	case int64:
		if into.CanInt() && !into.OverflowInt(v) {
			into.SetInt(v)
			return nil
		}
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return nil
		}
	}
	return fmt.Errorf("a value of type %T can't be read into %s", value, into.Type())
}
