package main

import (
	"context"
	"database/sql"

	"github.com/ringback-dev/ringback/webhook"
)

func (c *crm) createProfile(ctx context.Context, database string, asked change) (profile, error) {
	p := profile{Record: asked.create(now()), database: database}
	err := c.transaction(ctx, asked.cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		const insert = `INSERT INTO profiles (database, fields, interests, created, modified)
			VALUES (?, ?, ?, ?, ?) RETURNING id`
		err := tx.QueryRowContext(ctx, insert, p.database,
			jsonColumn{p.Fields}, jsonColumn{p.Interests}, p.Created, p.Modified).Scan(&p.ID)
		return []webhook.Event{p.event(webhook.ActionCreate, nil)}, err
	})
	return p, err
}

func (c *crm) profile(ctx context.Context, id string) (profile, error) {
	return readProfile(ctx, c.db, id)
}

// readProfile returns one profile, or errNotFound.
func readProfile(ctx context.Context, q querier, id string) (profile, error) {
	const query = `SELECT id, database, fields, interests, created, modified FROM profiles WHERE id = ?`
	var p profile
	err := q.QueryRowContext(ctx, query, id).Scan(&p.ID, &p.database,
		jsonColumn{&p.Fields}, jsonColumn{&p.Interests}, &p.Created, &p.Modified)
	return p, found(err)
}

// updateProfile returns the profile as it is after the change. One that makes no
// difference is no event.
func (c *crm) updateProfile(ctx context.Context, id string, asked change) (profile, error) {
	var p profile
	err := c.transaction(ctx, asked.cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		var err error
		if p, err = readProfile(ctx, tx, id); err != nil {
			return nil, err
		}
		before, differs := p.Record, false
		if p.Record, differs = asked.update(before, now()); !differs {
			return nil, nil
		}
		const update = `UPDATE profiles SET fields = ?, interests = ?, modified = ? WHERE id = ?`
		_, err = tx.ExecContext(ctx, update, jsonColumn{p.Fields}, jsonColumn{p.Interests}, p.Modified, p.ID)
		return []webhook.Event{p.event(webhook.ActionUpdate, &before)}, err
	})
	return p, err
}

// deleteProfile deletes the profile's subprofiles, then the profile; each is an
// event.
func (c *crm) deleteProfile(ctx context.Context, id string, cause *webhook.Cause) error {
	return c.transaction(ctx, cause, func(tx *sql.Tx) ([]webhook.Event, error) {
		p, err := readProfile(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		children, err := subprofilesOf(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		var events []webhook.Event
		for _, s := range children {
			events = append(events, s.event(webhook.ActionDelete, nil))
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM subprofiles WHERE profile = ?`, p.ID); err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM profiles WHERE id = ?`, p.ID)
		return append(events, p.event(webhook.ActionDelete, nil)), err
	})
}
