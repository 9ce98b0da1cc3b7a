package producttable

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
)

// splitter splits a table into records. After a line with a stray quote it goes on with the next line, where
// encoding/csv would take all that follows for a part of one cell.
type splitter struct {
	from   *bufio.Reader
	ahead  []byte // what is read of the next records
	ended  bool
	line   int   // of the next record
	offset int64 // of the next record
}

// record is a line of a table, or several where a cell has line breaks.
type record struct {
	cells []string
	line  int
	size  int
	why   string // why it has no cells
}

func newSplitter(from io.Reader) *splitter { return &splitter{from: bufio.NewReader(from), line: 1} }

// next returns the next record that is not empty, and io.EOF after the last.
func (s *splitter) next() (record, error) {
	for {
		length, closed, err := s.length()
		if err != nil {
			return record{}, err
		}
		if length == 0 {
			return record{}, io.EOF
		}
		r := record{line: s.line, size: length}
		r.cells, r.why = parseRecord(s.ahead[:length], closed)
		if r.why != "" {
			length = firstLine(s.ahead)
			r.size = 0
		}
		empty := len(bytes.TrimSpace(s.ahead[:length])) == 0
		whole := s.ended || s.ahead[length-1] == '\n'
		s.consume(length)
		if !whole {
			err = s.skipLine()
		}
		if err != nil {
			return record{}, err
		}
		if !empty {
			return r, nil
		}
	}
}

func (s *splitter) consume(length int) {
	s.line += bytes.Count(s.ahead[:length], []byte("\n"))
	s.offset += int64(length)
	s.ahead = s.ahead[:copy(s.ahead, s.ahead[length:])]
}

// length returns the number of bytes up to the first line break outside quotes, or to the end of the table. closed
// reports whether there is such a line break or end within maxBytes.
func (s *splitter) length() (length int, closed bool, err error) {
	quotes := 0
	for {
		for length < len(s.ahead) {
			line := firstLine(s.ahead[length:])
			if s.ahead[length+line-1] != '\n' && !s.ended {
				break // the line goes on
			}
			quotes += bytes.Count(s.ahead[length:length+line], []byte(`"`))
			length += line
			if quotes%2 == 0 {
				return length, length <= maxBytes, nil
			}
		}
		if s.ended || len(s.ahead) > maxBytes {
			return len(s.ahead), false, nil
		}
		if err := s.readLine(); err != nil {
			return 0, false, err
		}
	}
}

// readLine reads a line, or what the buffer holds of it.
func (s *splitter) readLine() error {
	line, err := s.from.ReadSlice('\n')
	s.ahead = append(s.ahead, line...)
	switch {
	case errors.Is(err, io.EOF):
		s.ended = true
	case err != nil && !errors.Is(err, bufio.ErrBufferFull):
		return err
	}
	return nil
}

// skipLine reads to the end of the line, and keeps nothing of it.
func (s *splitter) skipLine() error {
	for {
		line, err := s.from.ReadSlice('\n')
		s.offset += int64(len(line))
		switch {
		case err == nil:
			s.line++
			return nil
		case errors.Is(err, io.EOF):
			s.ended = true
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

func firstLine(text []byte) int {
	if at := bytes.IndexByte(text, '\n'); at >= 0 {
		return at + 1
	}
	return len(text)
}

// parseRecord returns the cells of a record, or why it has none.
func parseRecord(text []byte, closed bool) (cells []string, why string) {
	if !closed && len(text) > maxBytes {
		return nil, "is longer than 128 KiB, or has a quote that is not closed"
	}
	table := csv.NewReader(bytes.NewReader(text))
	table.FieldsPerRecord = -1
	cells, err := table.Read()
	if errors.Is(err, io.EOF) { // an empty line
		return nil, ""
	}
	if err != nil || table.InputOffset() < int64(len(text)) {
		return nil, `has a stray quote: a cell with quotes stands in quotes, and each of its own is doubled`
	}
	return cells, ""
}
