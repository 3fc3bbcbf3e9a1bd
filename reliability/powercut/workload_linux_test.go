package powercut_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recordWorkload lets a child work to its end and returns what was recorded.
func recordWorkload(t *testing.T, to *receiver, w workload) []record {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir()) // SQLite opens files by their real names
	if err != nil {
		t.Fatal(err)
	}
	dir, file := filepath.Join(base, "db"), filepath.Join(base, "record")
	notes, err := openNotebook(file)
	if err != nil {
		t.Fatal(err)
	}
	defer notes.file.Close()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.URL = to.url
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	patience, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	child := exec.CommandContext(patience, self)
	child.Env = append(os.Environ(), "LD_PRELOAD="+buildRecorder(t),
		directoryVariable+"="+dir, recordVariable+"="+file, workloadVariable+"="+string(text))
	stop := to.handTo(func(r receipt) error {
		return notes.note(saysReceived, r.delivery, r.status, r.digest)
	})
	out, err := child.CombinedOutput()
	stop()
	if err != nil {
		t.Fatalf("the child: %v\n%s", err, out)
	}
	records, err := readRecords(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := compareToDisk(records, dir); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d, %d records", w.Seed, len(records))
	return records
}

// compareToDisk checks that the records tell everything: whoever repeats it all has the
// very files that the child has left.
func compareToDisk(records []record, dir string) error {
	disk := newDisk()
	for _, r := range records {
		if err := disk.do(r); err != nil {
			return err
		}
	}
	told := disk.powerCut(kept, newRand(0, 0))
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "-shm") {
			continue
		}
		found++
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		if !bytes.Equal(content, told[f.Name()]) {
			return fmt.Errorf("%s is not what the records tell", f.Name())
		}
	}
	if found == 0 || found != len(told) {
		return errors.New("there are other files than the records tell of")
	}
	return nil
}
