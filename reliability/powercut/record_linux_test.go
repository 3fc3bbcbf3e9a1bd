package powercut_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// kind is what a record tells of. The numbers are those of testdata/recorder.c.
type kind uint32

const (
	created   kind = 1 + iota // bytes is the file's name
	unlinked                  // bytes is the name
	written                   // bytes, at offset
	truncated                 // to offset
	syncBegan                 // offset is the sync's number
	syncEnded                 // offset is the sync's number
	noted                     // bytes is what somebody says
)

// directory is the number of the directory among the files.
const directory = 1

// A record is one thing that happened to a file, or something that was acknowledged.
type record struct {
	kind   kind
	file   uint64 // an inode's number
	offset uint64
	bytes  []byte
}

const headerSize = 24

// readRecords returns the records of a file. They share its bytes.
func readRecords(file string) ([]record, error) {
	all, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var records []record
	for len(all) > 0 {
		if len(all) < headerSize {
			return nil, errors.New("the last record is cut off")
		}
		size := int(binary.LittleEndian.Uint32(all))
		if len(all) < headerSize+size {
			return nil, errors.New("the last record is cut off")
		}
		r := record{
			kind:   kind(binary.LittleEndian.Uint32(all[4:])),
			file:   binary.LittleEndian.Uint64(all[8:]),
			offset: binary.LittleEndian.Uint64(all[16:]),
			bytes:  all[headerSize : headerSize+size],
		}
		if r.kind < created || r.kind > noted {
			return nil, fmt.Errorf("there is a record of kind %d", r.kind)
		}
		records = append(records, r)
		all = all[headerSize+size:]
	}
	return records, nil
}

// A notebook appends notes to the records. Several processes may, each with its own.
type notebook struct{ file *os.File }

// openNotebook opens a file of records to append to it.
func openNotebook(file string) (notebook, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return notebook{f}, err
}

// note appends a note, by a single write: it comes before everything that is written
// later, by whomever.
func (n notebook) note(words ...any) error {
	return n.append(record{kind: noted, bytes: fmt.Appendln(nil, words...)})
}

func (n notebook) append(r record) error {
	header := make([]byte, headerSize, headerSize+len(r.bytes))
	binary.LittleEndian.PutUint32(header, uint32(len(r.bytes)))
	binary.LittleEndian.PutUint32(header[4:], uint32(r.kind))
	binary.LittleEndian.PutUint64(header[8:], r.file)
	binary.LittleEndian.PutUint64(header[16:], r.offset)
	_, err := n.file.Write(append(header, r.bytes...))
	return err
}
