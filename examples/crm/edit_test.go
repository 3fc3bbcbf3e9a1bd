package main_test

// An edit is a change of a record, given by bodies: without before the record is
// created, without after deleted.
type edit struct{ before, after string }

// A shelf is where records are: the profiles of a database, or the subprofiles of a
// profile in a collection.
type shelf struct {
	p       *process
	scope   string // where callbacks on it are registered
	records string // where records are created
	record  string // what comes before the ID of one
}

// newShelf makes a shelf of its own for a name: of subprofiles if there is a body for
// their parent.
func newShelf(p *process, name, parent string) shelf {
	p.t.Helper()
	s := shelf{p, "/database/" + name, "/database/" + name + "/profiles", "/profile/"}
	if parent != "" {
		s = shelf{p, "/collection/" + name, "/profile/" + p.create(s.records, parent) + "/subprofiles/" + name, "/subprofile/"}
	}
	return s
}

// prepare brings about what is before an edit, and returns what makes the edit and
// returns the record's ID.
func (s shelf) prepare(e edit) (edit func() (id string)) {
	s.p.t.Helper()
	if e.before == "" {
		return func() string { return s.p.create(s.records, e.after) }
	}
	id := s.p.create(s.records, e.before)
	return func() string {
		if e.after == "" {
			s.p.must(200, "DELETE", s.record+id, "")
		} else {
			s.p.must(200, "PUT", s.record+id, e.after)
		}
		return id
	}
}
