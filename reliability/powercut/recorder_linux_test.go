package powercut_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// buildRecorder compiles the library that records, and returns its file.
func buildRecorder(t *testing.T) string {
	t.Helper()
	compiler := os.Getenv("CC")
	if compiler == "" {
		out, err := exec.Command("go", "env", "CC").Output()
		if err != nil {
			t.Fatalf("go env CC: %v", err)
		}
		compiler = strings.TrimSpace(string(out))
	}
	library := filepath.Join(t.TempDir(), "recorder.so")
	command := append(strings.Fields(compiler),
		"-shared", "-fPIC", "-O2", "-pthread", "-o", library, "testdata/recorder.c")
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return library
}

// changing are the functions of C libraries that change files, or make changes last.
var changing = strings.Fields(`
	copy_file_range creat creat64 fallocate fallocate64 fdatasync fopen fopen64 freopen fsync ftruncate ftruncate64
	link linkat mkostemp mkstemp mkstemp64 mmap mmap64 msync open open64 openat openat64 posix_fallocate
	posix_fallocate64 pwrite pwrite64 pwritev pwritev2 pwritev64 remove rename renameat renameat2 sendfile sendfile64
	splice sync sync_file_range syncfs truncate truncate64 unlink unlinkat write writev`)

// TestRecorderSeesAll shows that the recorder stands in for whatever SQLite, or
// anything else in C, could change a file by.
func TestRecorderSeesAll(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stands := make(map[string]bool)
	for _, symbol := range symbols(t, buildRecorder(t)) {
		if symbol.Section != elf.SHN_UNDEF {
			stands[symbol.Name] = true
		}
	}
	used := 0
	for _, symbol := range symbols(t, self) {
		if symbol.Section != elf.SHN_UNDEF || !slices.Contains(changing, symbol.Name) {
			continue
		}
		used++
		if !stands[symbol.Name] {
			t.Errorf("%s is used and not recorded", symbol.Name)
		}
	}
	if used < 5 {
		t.Errorf("only %d functions that change files are used: is SQLite in %s?", used, self)
	}
}

func symbols(t *testing.T, file string) []elf.Symbol {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	return list
}
