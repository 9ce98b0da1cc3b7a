package functions_test

import (
	"cmp"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/migrations"
)

// commonTables are the tables of the event store that the runtime writes for every function.
var commonTables = []string{"bus.event", "bus.idempotency", "bus.inbox", "bus.dead_letters", "bus.undelivered"}

func withoutCommon(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(table string) bool { return slices.Contains(commonTables, table) })
}

func TestWritesMatchTheSQL(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		written := targets(statements(t, f.Name))
		require.Subset(t, written, f.Writes, "%s declares a table that it does not write", f.Name)
		require.Subset(t, f.Writes, withoutCommon(written), "%s writes a table that it does not declare", f.Name)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(f.Writes))), len(f.Writes), f.Name)
	}
}

func TestLocksMatchTheSQL(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		only := slices.DeleteFunc(locked(statements(t, f.Name)), func(table string) bool {
			return slices.Contains(f.Writes, table) || slices.Contains(commonTables, table)
		})
		require.ElementsMatch(t, f.Locks, only, f.Name)
	}
}

// successors took over the tables of functions that released migrations name.
var successors = map[string]string{"serve-catalogue": "edit-catalogue"}

// The first line of a migration names the functions that write its tables.
func TestOwnersOfTablesMatchTheWrites(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for _, f := range all(t) {
		for _, table := range withoutCommon(f.Writes) {
			want[table] = append(want[table], f.Name)
		}
	}
	got := map[string][]string{}
	for path, text := range sql(t) {
		for table, writers := range owners(t, path, text) {
			table = renamed(t, table)
			got[table] = append(got[table], writers...)
		}
	}
	for _, table := range commonTables {
		require.Equal(t, []string{"every function"}, got[table], table)
		delete(got, table)
	}
	for table, writers := range got { // programs and triggers are not functions
		got[table] = slices.DeleteFunc(writers, func(name string) bool { return strings.HasPrefix(name, "popup ") || name == "triggers" })
		if len(got[table]) == 0 {
			delete(got, table)
		}
		slices.Sort(got[table])
	}
	for table := range want {
		slices.Sort(want[table])
	}
	require.Equal(t, want, got)
}

func TestEveryTableHasAnOwner(t *testing.T) {
	t.Parallel()
	fixed := []string{"orders.moves"} // no function may write it
	all := strings.Join(slices.Collect(maps.Values(sql(t))), "\n")
	for path, text := range sql(t) {
		var made []string
		for _, found := range regexp.MustCompile(`CREATE (?:UNLOGGED )?TABLE (\w+\.\w+)`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(text, "TABLE "+found[1]+" PARTITION OF") && !slices.Contains(fixed, found[1]) {
				made = append(made, found[1])
			}
		}
		owned := slices.Collect(maps.Keys(owners(t, path, text)))
		require.Subset(t, owned, made, path)
		for _, table := range owned {
			require.Contains(t, all, "TABLE "+table+" (", path)
		}
	}
}

var renameForm = regexp.MustCompile(`ALTER TABLE (\w+)\.(\w+) RENAME TO (\w+)`)

// renamed returns the name that a table has after all migrations.
func renamed(t testing.TB, table string) string {
	t.Helper()
	for _, text := range sql(t) {
		for _, match := range renameForm.FindAllStringSubmatch(text, -1) {
			if match[1]+"."+match[2] == table {
				return match[1] + "." + match[3]
			}
		}
	}
	return table
}

func sql(t testing.TB) map[string]string {
	t.Helper()
	paths, err := fs.Glob(migrations.Files, "*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	found := map[string]string{}
	for _, path := range paths {
		text, err := migrations.Files.ReadFile(path)
		require.NoError(t, err)
		found[path] = string(text)
	}
	return found
}

var (
	ownersForm = regexp.MustCompile(`^-- written by: (.+)\n`)
	ownerForm  = regexp.MustCompile(`([^()]+)\(([^()]+)\)`)
	schemaForm = regexp.MustCompile(`CREATE SCHEMA (\w+);`)
)

// owners parses "-- written by: one-function, another (tables of both), a-third (its tables)" and returns the writers
// by table. Only a table of another schema than the one that the migration creates is written with its schema.
func owners(t testing.TB, path, text string) map[string][]string {
	t.Helper()
	line, schema := ownersForm.FindStringSubmatch(text), schemaForm.FindStringSubmatch(text)
	require.NotNil(t, line, path)
	found := map[string][]string{}
	for _, group := range ownerForm.FindAllStringSubmatch(line[1], -1) {
		for table := range strings.SplitSeq(group[2], ",") {
			if table = strings.TrimSpace(table); !strings.Contains(table, ".") {
				require.NotNil(t, schema, path)
				table = schema[1] + "." + table
			}
			for name := range strings.SplitSeq(strings.Trim(group[1], ", "), ",") {
				name = strings.TrimSpace(name)
				found[table] = append(found[table], cmp.Or(successors[name], name))
			}
		}
	}
	return found
}

var writeForm = regexp.MustCompile(`(?:INSERT\s+INTO|\bUPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|\bCOPY)\s+(?:ONLY\s+)?(\w+\.\w+)`)

// targets returns the tables that statements write.
func targets(statements []string) (tables []string) {
	for _, sql := range statements {
		for _, found := range writeForm.FindAllStringSubmatch(sql, -1) {
			tables = append(tables, found[1])
		}
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

var (
	innerForm = regexp.MustCompile(`\(([^()]*)\)`)
	lockForm  = regexp.MustCompile(`FOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE|KEY\s+SHARE)(?:\s+OF\s+(\w+))?`)
	fromForm  = regexp.MustCompile(`(?:FROM|JOIN)\s+(\w+\.\w+)(?:\s+AS)?(?:\s+(\w+))?`)
)

// locked returns the tables whose rows statements lock: those in the FROM clause of the FOR, without its subqueries.
func locked(statements []string) (tables []string) {
	for _, sql := range statements {
		for _, level := range levels(sql) {
			for _, lock := range lockForm.FindAllStringSubmatch(level, -1) {
				for _, from := range fromForm.FindAllStringSubmatch(level, -1) {
					if lock[1] == "" || lock[1] == from[2] {
						tables = append(tables, from[1])
					}
				}
			}
		}
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

// levels splits SQL into the texts between parentheses, each without the parentheses within it.
func levels(sql string) (found []string) {
	for {
		inner := innerForm.FindStringSubmatch(sql)
		if inner == nil {
			return append(found, sql)
		}
		found = append(found, inner[1])
		sql = strings.Replace(sql, inner[0], "", 1)
	}
}

func TestSQLParserFindsWritesAndLocks(t *testing.T) {
	t.Parallel()
	statements := []string{
		"WITH gone AS (\n\tDELETE FROM a.b USING c.d\n) INSERT INTO e.f AS x SELECT 1 ON CONFLICT DO UPDATE SET n = 1",
		"SELECT (SELECT n FROM g.h) FROM i.j k JOIN l.m n USING (o) WHERE (p) FOR NO KEY UPDATE OF k",
		"WITH due AS (SELECT FROM q.r FOR UPDATE SKIP LOCKED) UPDATE s.t SET u = 1 FROM due",
	}
	require.Equal(t, []string{"a.b", "e.f", "s.t"}, targets(statements))
	require.Equal(t, []string{"i.j", "q.r"}, locked(statements))
}

// statements returns the string literals of a function's package and of the declarations that it uses of other
// packages.
func statements(t testing.TB, name string) []string {
	t.Helper()
	return reach(t, name, nil, map[string]bool{})
}

var capitals = regexp.MustCompile(`^[A-Z]`)

// reach returns the string literals of a package: all of them without wanted names, otherwise those that the names use.
// It leaves out the runtime, whose SQL belongs to every function.
func reach(t testing.TB, folder string, wanted []string, seen map[string]bool) (literals []string) {
	t.Helper()
	uses, below := map[string][]string{}, map[string][]string{}
	for _, d := range declarations(t, folder) {
		if wanted == nil {
			literals = append(literals, d.literals...)
		}
		uses[d.name] = append(uses[d.name], d.uses...)
		for path, used := range d.below {
			below[path+" "+d.name] = append(below[path+" "+d.name], used...)
		}
	}
	reached := closure(uses, wanted)
	for _, d := range declarations(t, folder) {
		if wanted != nil && reached[d.name] && !seen[folder+"."+d.name] {
			seen[folder+"."+d.name] = true
			literals = append(literals, d.literals...)
		}
	}
	for key, used := range below {
		path, by, _ := strings.Cut(key, " ")
		if (wanted == nil || reached[by]) && path != "internal/function" && !seen[folder+">"+key] {
			seen[folder+">"+key] = true
			literals = append(literals, reach(t, filepath.Join("..", path), used, seen)...)
		}
	}
	return literals
}

func closure(uses map[string][]string, from []string) map[string]bool {
	reached := map[string]bool{}
	for len(from) > 0 {
		name := from[0]
		from = from[1:]
		if !reached[name] {
			reached[name] = true
			from = append(from, uses[name]...)
		}
	}
	return reached
}

// declaration is a declaration of a package with the names that it uses, of its own package and of other packages of
// the module.
type declaration struct {
	name     string
	literals []string
	uses     []string
	below    map[string][]string // by path in the module
}

func declarations(t testing.TB, folder string) (found []declaration) {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	var parsed []*ast.File
	constants := map[string]string{}
	for _, source := range sources {
		if !strings.HasSuffix(source, "_test.go") {
			file := parse(t, source)
			parsed = append(parsed, file)
			note(constants, file)
		}
	}
	for _, file := range parsed {
		packages := map[string]string{}
		for _, spec := range file.Imports {
			if path, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/internal/"); ok {
				packages[filepath.Base(path)] = "internal/" + path
			}
		}
		for _, d := range file.Decls {
			for _, name := range declared(d) {
				found = append(found, read(d, name, packages, constants))
			}
		}
	}
	return found
}

// note collects the string constants of a file, so that SQL which is concatenated from them can be read.
func note(constants map[string]string, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, name := range spec.Names {
				if text := join(spec.Values[i], nil); text != "" {
					constants[name.Name] = text
				}
			}
		}
		return true
	})
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		names = append(names, d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			}
		}
	}
	return names
}

func read(d ast.Decl, name string, packages, constants map[string]string) declaration {
	made := declaration{name: name, below: map[string][]string{}}
	var look func(n ast.Node) bool
	look = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			made.literals = append(made.literals, join(n, constants))
		case *ast.BinaryExpr:
			if text := join(n, constants); text != "" {
				made.literals = append(made.literals, text)
				for _, part := range operands(n) {
					if _, literal := part.(*ast.BasicLit); !literal {
						ast.Inspect(part, look)
					}
				}
				return false
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && packages[x.Name] != "" && capitals.MatchString(n.Sel.Name) {
				made.below[packages[x.Name]] = append(made.below[packages[x.Name]], n.Sel.Name)
				return false
			}
		case *ast.Ident:
			made.uses = append(made.uses, n.Name)
		}
		return true
	}
	ast.Inspect(d, look)
	return made
}

// join returns the text of a concatenation. It leaves out operands that are not constant.
func join(e ast.Expr, constants map[string]string) (text string) {
	for _, part := range operands(e) {
		switch part := part.(type) {
		case *ast.BasicLit:
			if part.Kind == token.STRING {
				unquoted, _ := strconv.Unquote(part.Value) // it was parsed
				text += unquoted
			}
		case *ast.Ident:
			text += constants[part.Name]
		}
	}
	return text
}

// operands returns the operands of a sum, or the expression itself.
func operands(e ast.Expr) []ast.Expr {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return append(operands(sum.X), operands(sum.Y)...)
	}
	return []ast.Expr{e}
}
