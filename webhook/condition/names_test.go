package condition_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func TestNamesThatARecordLacks(t *testing.T) {
	var tests []expect
	for _, name := range []string{
		"constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "name", "length", "fields", "ID", "arguments",
		"globalThis", "eval", "Object", "Function", "RegExp", "Symbol", "JSON", "console", "caller", "prototype", "of", "get",
	} {
		for _, reference := range []string{name, "profile." + name, "profile.fields." + name, "profile['" + name + "']", "old." + name} {
			if reference == "profile.fields" || reference == "profile['fields']" || reference == "old.fields" {
				continue // a record's own
			}
			if reference == "profile.ID" || reference == "profile['ID']" || reference == "old.ID" {
				continue
			}
			tests = append(tests, expect{reference + " === undefined && typeof " + reference + " == 'undefined'", yes}, expect{reference, no})
		}
	}
	for _, reference := range []string{
		"company.constructor", "company['constructor']", "company.toString", "company.__proto__", "company.includes",
		"tags.constructor", "tags.push", "tags.__proto__", "tags.includes", "[].includes", "[].constructor", "(5).toFixed",
		"changed.join", "map.constructor", "map.toString", "map.hasOwnProperty", "/a/.test", "/a/.constructor", "true.toString",
		"Math.abs", "Math.constructor", "Number.constructor", "Number.prototype", "String.prototype", "parseInt.call", "parseInt.constructor",
	} {
		tests = append(tests, expect{reference + " === undefined", yes})
	}
	e := update(map[string]any{"company": "Apple", "tags": []any{"a"}, "map": map[string]any{"a": 1}}, nil)
	check(t, evaluator(t), e, tests)
}

func TestNamesThatARecordHas(t *testing.T) {
	fields := map[string]any{
		"constructor": "c", "toString": "t", "__proto__": "p", "undefined": "u", "NaN": "nan", "name": "n", "hasOwnProperty": "h",
		"length": "l", "fields": "f", "ID": "id", "arguments": "a", "eval": "e", "this": "th", "class": "cl", "profile": "pr",
		"changed": "ch", "action": "ac", "Math": "m", "String": "s", "First name": "fn", "größe": "g", "日本": "j", "p0000": "x",
		"interests": "i", "created": "cr", "null": "nu", "$a": "d", "_": "und", "typeof": "to", "async": "as", "": "never",
	}
	delete(fields, "")
	check(t, evaluator(t), update(fields, nil), []expect{
		{"constructor == 'c' && toString == 't' && __proto__ == 'p' && name == 'n' && hasOwnProperty == 'h'", yes},
		{"length == 'l' && fields == 'f' && ID == 'id' && arguments == 'a' && eval == 'e'", yes},
		{"profile.constructor == 'c' && profile.toString == 't' && profile.__proto__ == 'p' && profile.length == 'l'", yes},
		{"profile.class == 'cl' && profile.this == 'th' && profile.null == 'nu' && profile.typeof == 'to' && profile.async == 'as'", yes},
		{"undefined === void 0 && typeof undefined == 'undefined' && NaN != NaN", yes},
		{"profile.undefined == 'u' && profile.fields.undefined == 'u' && profile.NaN == 'nan'", yes},
		{"profile.ID == '1' && profile.fields.ID == 'id' && profile.fields.fields == 'f'", yes},
		{"profile.fields.interests == 'i' && profile.interests.mac && interests == 'i'", yes},
		{"profile.created == '2014-02-10T10:33:28Z' && created == 'cr' && profile.fields.created == 'cr'", yes},
		{"profile.profile == 'pr' && profile.fields.changed == 'ch' && profile.action == 'ac' && action == 'update'", yes},
		{"Math == 'm' && String == 's'", yes},
		{"Math.max(1, 2) == 2", fail}, // the field is in front
		{"profile['First name'] == 'fn' && größe == 'g' && 日本 == 'j' && $a == 'd' && _ == 'und' && p0000 == 'x'", yes},
		{"'constructor' in profile.fields && !('nobody' in profile.fields) && !('valueOf' in profile)", yes},
		{"'ID' in profile && 'interests' in profile && 'mac' in profile.interests && !('pc' in profile.interests)", yes},
	})
}

func TestInterests(t *testing.T) {
	check(t, evaluator(t), update(map[string]any{"a": 1}, nil), []expect{ // mac, length, 2024, join
		{"profile.interests.mac === true && profile.interests['mac'] === true", yes},
		{"profile.interests.pc === undefined && profile.interests.constructor === undefined", yes},
		{"profile.interests.length == 4 && profile.interests.includes('length')", yes},
		{"profile.interests[0] == 'mac' && profile.interests[4] === undefined && profile.interests['-1'] === undefined", yes},
		{"profile.interests['2024'] === true && profile.interests[2024] === true", yes},
		{"profile.interests.join === true && profile.interests.join() == 'mac,length,2024,join'", yes},
		{"profile.interests.indexOf('2024') == 2 && profile.interests.slice(-2).join('+') == '2024+join'", yes},
		{"profile.interests.at(-1) == 'join' && profile.interests.at(9) === undefined", yes},
		{"Array.isArray(profile.interests) && typeof profile.interests == 'object'", yes},
		{"profile.interests == profile.interests && profile.interests === profile.interests", yes},
	})
}

func TestValues(t *testing.T) {
	leaf := any("leaf")
	for range 9 {
		leaf = []any{leaf}
	}
	fields := map[string]any{
		"int": 30, "int8": int8(-8), "uint64": uint64(math.MaxUint64), "big": int64(1<<53 + 1), "edge": int64(1 << 53),
		"negative": int64(-(1<<53 + 1)), "float": 1.5, "float32": float32(0.1), "huge": 1e20, "vast": 1e21,
		"number": json.Number("12.50"), "bigNumber": json.Number("9007199254740993"), "exponent": json.Number("1e3"),
		"beyond": json.Number("1e400"), "zero": json.Number("-0"), "null": nil, "yes": true, "no": false, "text": "30",
		"time": time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.FixedZone("", 3600)),
		"deep": leaf, "map": map[string]any{"list": []any{1, "b", nil, map[string]any{"c": true}}}, "empty": []any{},
		"unicode": "É€😀", "long": "a text of more than sixteen bytes",
	}
	tests := []expect{
		{"int === 30 && int8 === -8 && float === 1.5 && float32 === 0.1 && edge === 9007199254740992", yes},
		{"big === '9007199254740993' && negative === '-9007199254740993' && uint64 === '18446744073709551615'", yes},
		{"huge === '100000000000000000000' && vast === 1e21", yes},
		{"number === 12.5 && bigNumber === '9007199254740993' && exponent === 1000 && beyond === '1e400' && 1/zero == -Infinity", yes},
		{"profile.null === null && yes === true && no === false && text == 30 && text !== 30", yes},
		{"time === '2026-01-02T02:04:05.6Z' && time > '2026-01-02' && time < '2026-01-02T03'", yes},
		{"Date.parse(time) === 1767319445600 && Date.parse('2026-01-02') < Date.parse(time)", yes},
		{"Date.parse('2026') == Date.parse('2026-01-01T00:00:00Z') && isNaN(Date.parse('tomorrow')) && isNaN(Date.parse(5))", yes},
		{"Date.now() === Date.parse('2026-11-23T10:33:00.123Z')", yes},
		{"deep[0][0][0][0][0][0][0].length == 1 && deep[0][0][0][0][0][0][0][0] === undefined", yes},
		{"map.list.length == 4 && map.list[1] == 'b' && map.list[2] === null && map.list[3].c && map.list[4] === undefined", yes},
		{"map.list.includes('b') && map.list.includes(1) && !map.list.includes('c') && map.list.indexOf(null) == 2", yes},
		{"map.list[3] === map.list[3] && map.list.includes(map.list[3]) && map.list.indexOf(map.list[3]) == 3", yes},
		{"profile.map === map && profile.fields.map === map && profile === profile && old !== profile", yes},
		{"empty.length === 0 && empty == '' && !empty.includes(undefined) && empty.join() === ''", yes},
		{"unicode.length == 4 && unicode.toLowerCase() == 'é€😀' && unicode.indexOf('😀') == 2 && unicode[1] == '€'", yes},
		{"long.includes('sixteen') && long.split(' ').length == 7 && long.split(' ')[5] == 'sixteen'", yes},
	}
	e := update(fields, nil)
	ev := evaluator(t)
	check(t, ev, e, tests)

	// What comes back from a store must be judged alike.
	e.ID = "1"
	stored, err := webhook.DecodeEvent(webhook.EncodeEvent(e))
	if err != nil {
		t.Fatal(err)
	}
	check(t, ev, &stored, tests)
}

func TestCreateUpdateDelete(t *testing.T) {
	ev := evaluator(t)
	record := webhook.Record{ID: "1", Fields: map[string]any{"a": 1, "b": 2}}

	create := &webhook.Event{Action: webhook.ActionCreate, Database: "788", Profile: record}
	check(t, ev, create, []expect{
		{"action == 'create' && changed.join() == 'a,b' && changed.length == 2", yes},
		{"old.a === undefined && old.fields.a === undefined && old.interests.x === undefined && old.created === undefined", yes},
		{"old.a != a && old && old.interests.length === 0 && trigger === ''", yes},
		{"profile.created === undefined && profile.modified === undefined", yes},
	})
	remove := &webhook.Event{Action: webhook.ActionDelete, Database: "788", Profile: record}
	check(t, ev, remove, []expect{
		{"action == 'delete' && changed.length === 0 && old.a == 1 && a == 1 && old.ID == '1'", yes},
	})
	unknown := &webhook.Event{Action: webhook.ActionUpdate, Database: "788", Profile: record}
	check(t, ev, unknown, []expect{
		{"changed.join() == 'a,b' && old.a === undefined && old.a != a", yes},
	})
	known := &webhook.Event{
		Action: webhook.ActionUpdate, Database: "788", Profile: record,
		Previous: &webhook.Record{Fields: map[string]any{"a": 1, "b": 3, "gone": 4}, Interests: []string{"x"}},
	}
	check(t, ev, known, []expect{
		{"changed.join() == 'b,gone' && old.b == 3 && old.gone == 4 && gone === undefined && old.ID == '1'", yes},
		{"old.interests.x && !profile.interests.x", yes},
	})
}
