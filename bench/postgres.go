package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// A postgres is a server that this program has started.
type postgres struct {
	command   *exec.Cmd
	dir       string
	databases int
}

// startPostgres starts a server on a socket in dir, with its defaults: its commits wait
// for the disk.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	owner, err := postgresOwner()
	if err != nil {
		return nil, err
	}
	if owner != nil {
		// The server refuses to be root: it and its files are somebody else's.
		for d := dir; d != filepath.Dir(os.TempDir()) && d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				return nil, err
			}
		}
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	start := func(name string, args ...string) *exec.Cmd {
		command := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
		command.Dir = dir
		command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		return command
	}
	// What initdb writes need not be safe from a power cut: that waits for the disk long.
	initdb := start("initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	p := &postgres{
		command: start("postgres", "-D", data, "-k", dir, "-c", "listen_addresses="),
		dir:     dir,
	}
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGQUIT) }
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		conn, err := pgx.Connect(ctx, p.source("postgres"))
		if err == nil {
			return p, conn.Close(ctx)
		}
		if ctx.Err() != nil || time.Since(began) > 20*time.Second {
			p.stop()
			return nil, fmt.Errorf("the server does not start: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// source says how to connect to a database.
func (p *postgres) source(database string) string {
	return "host=" + p.dir + " user=bench dbname=" + database
}

// newDatabase creates a database and returns its source.
func (p *postgres) newDatabase(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, p.source("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	p.databases++
	name := fmt.Sprint("round", p.databases)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return p.source(name), err
}

// stop ends the server and waits for its end.
func (p *postgres) stop() {
	p.command.Process.Signal(syscall.SIGINT) // fast: clients are cut off
	p.command.Wait()
}

// postgresBinaries returns the directory of initdb and postgres.
func postgresBinaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian's
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("%w: no PostgreSQL server is installed", errMissing)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// postgresOwner returns as whom to run the server: nil for the user of this process.
func postgresOwner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, fmt.Errorf("%w: there is no user to run PostgreSQL as", errMissing)
}
