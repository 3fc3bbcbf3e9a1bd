package main

import (
	"context"
	"database/sql"

	"github.com/ringback-dev/ringback/webhook"
)

// createSubprofile returns errNotFound when there is no such profile.
func (c *crm) createSubprofile(
	ctx context.Context, profileID, collection string, asked change,
) (subprofile, error) {
	s := subprofile{Record: asked.create(now()), collection: collection}
	err := c.transaction(ctx, asked.cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		var err error
		if s.profile, err = readProfile(ctx, tx, profileID); err != nil {
			return nil, err
		}
		const insert = `INSERT INTO subprofiles (profile, collection, fields, interests, created, modified)
			VALUES (?, ?, ?, ?, ?, ?) RETURNING id`
		err = tx.QueryRowContext(ctx, insert, s.profile.ID, s.collection,
			jsonColumn{s.Fields}, jsonColumn{s.Interests}, s.Created, s.Modified).Scan(&s.ID)
		return []webhook.Event{s.event(webhook.ActionCreate, nil)}, err
	})
	return s, err
}

// selectSubprofiles selects what scan takes.
const selectSubprofiles = `
	SELECT s.id, s.collection, s.fields, s.interests, s.created, s.modified,
	       p.id, p.database, p.fields, p.interests, p.created, p.modified
	FROM subprofiles s JOIN profiles p ON p.id = s.profile `

// scan takes a subprofile with its parent.
func (s *subprofile) scan(row interface{ Scan(...any) error }) error {
	p := &s.profile
	return row.Scan(
		&s.ID, &s.collection, jsonColumn{&s.Fields}, jsonColumn{&s.Interests}, &s.Created, &s.Modified,
		&p.ID, &p.database, jsonColumn{&p.Fields}, jsonColumn{&p.Interests}, &p.Created, &p.Modified,
	)
}

func (c *crm) subprofile(ctx context.Context, id string) (subprofile, error) {
	return readSubprofile(ctx, c.db, id)
}

// readSubprofile returns one subprofile with its parent, or errNotFound.
func readSubprofile(ctx context.Context, q querier, id string) (subprofile, error) {
	var s subprofile
	err := s.scan(q.QueryRowContext(ctx, selectSubprofiles+`WHERE s.id = ?`, id))
	return s, found(err)
}

// updateSubprofile returns the subprofile as it is after the change. One that makes
// no difference is no event.
func (c *crm) updateSubprofile(ctx context.Context, id string, asked change) (subprofile, error) {
	var s subprofile
	err := c.transaction(ctx, asked.cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		var err error
		if s, err = readSubprofile(ctx, tx, id); err != nil {
			return nil, err
		}
		before, differs := s.Record, false
		if s.Record, differs = asked.update(before, now()); !differs {
			return nil, nil
		}
		const update = `UPDATE subprofiles SET fields = ?, interests = ?, modified = ? WHERE id = ?`
		_, err = tx.ExecContext(ctx, update, jsonColumn{s.Fields}, jsonColumn{s.Interests}, s.Modified, s.ID)
		return []webhook.Event{s.event(webhook.ActionUpdate, &before)}, err
	})
	return s, err
}

func (c *crm) deleteSubprofile(ctx context.Context, id string, cause *webhook.Cause) error {
	return c.transaction(ctx, cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		s, err := readSubprofile(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM subprofiles WHERE id = ?`, s.ID)
		return []webhook.Event{s.event(webhook.ActionDelete, nil)}, err
	})
}

// subprofilesOf returns the subprofiles of a profile in the order of their creation.
func subprofilesOf(ctx context.Context, tx *sql.Tx, profileID string) ([]subprofile, error) {
	rows, err := tx.QueryContext(ctx, selectSubprofiles+`WHERE p.id = ? ORDER BY s.id`, profileID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var children []subprofile
	for rows.Next() {
		var s subprofile
		if err := s.scan(rows); err != nil {
			return nil, err
		}
		children = append(children, s)
	}
	return children, rows.Err()
}
