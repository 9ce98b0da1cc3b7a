package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgconn"
)

// usageError is a mistake in the command line that a command found.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// Usage returns an error about the command line: the exit code is 2.
func Usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// OneOf reports a name that is not in a list, with the name that may be meant. No name is fine.
func OneOf(what, given string, names []string) error {
	if given == "" || slices.Contains(names, given) {
		return nil
	}
	hint := cmp.Or(didYouMean(given, names), ".")
	return Usage("unknown %s %q%s It must be one of %s.", what, given, hint, strings.Join(names, ", "))
}

// didYouMean returns a question about the most similar name, or "" if none is similar.
func didYouMean(given string, names []string) string {
	best, least := "", 1+len(given)/3
	for _, name := range names {
		if n := distance(given, name); n <= least {
			best, least = name, n-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance returns how many letters are missing, added, changed or swapped with their neighbour between two words.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}

var (
	noCommand   = regexp.MustCompile(`^unexpected argument (\S+)$`)
	enumProblem = regexp.MustCompile(`must be one of ("[^ ]*") but got "([^"]*)"`)
	sqlState    = regexp.MustCompile(` ?\(SQLSTATE \w+\)`)
)

// withEnumSuggestion adds to kong's problem with the value of a flag which value may be meant.
func withEnumSuggestion(problem string) string {
	found := enumProblem.FindStringSubmatch(problem)
	if found == nil {
		return problem
	}
	values := strings.Split(strings.ReplaceAll(found[1], `"`, ""), ",")
	return strings.Replace(problem, `one of "",`, "one of ", 1) + didYouMean(found[2], values)
}

// asCommand adds to kong's problem with a word which command may be meant, where a default command was tried in its place.
func asCommand(command *kong.Context, err error) error {
	found := noCommand.FindStringSubmatch(err.Error())
	selected := command.Selected()
	if found == nil || selected == nil || selected.Tag.Default == "" {
		return err
	}
	var names []string
	for _, sibling := range selected.Parent.Children {
		names = append(names, sibling.Name)
	}
	return errors.New(err.Error() + didYouMean(found[1], names))
}

// databaseProblems are what people can do about error codes of Postgres.
var databaseProblems = map[string]string{
	"42P01": "this database has no shop, or an older one; run popup migrate",
	"3F000": "this database has no shop; run popup migrate",
	"42703": "the shop in this database is of another version; run popup migrate",
	"28P01": "the database refuses the password",
	"28000": "the database refuses this user",
	"3D000": "the database does not exist",
	"42501": "this database user has no permission to do this",
	"57P03": "the database is starting or stopping; try again",
}

// databaseWords returns an error in words without codes of Postgres.
func databaseWords(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return sqlState.ReplaceAllString(err.Error(), "")
	}
	words := databaseProblems[pg.Code]
	if words == "" {
		words = pg.Message
	}
	return strings.Replace(sqlState.ReplaceAllString(strings.ReplaceAll(err.Error(), pg.Error(), words), ""), "ERROR: ", "", 1)
}
