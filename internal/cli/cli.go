// Package cli is what every command of popup has in common: reading the command line, the form of output and errors, help, the
// version and completion. Programs get the exit codes 0 for success, 1 for failure and 2 for a command line that is wrong.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"github.com/popup-shop/popup/internal/printer"
)

// Common are the flags and commands of every program.
type Common struct {
	printer.Format
	VersionFlag kong.VersionFlag `name:"version" help:"Print the version."`

	Help       helpCommand       `cmd:"" help:"Show help for a command."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print the script that has a shell complete commands."`
}

// Exit codes.
const (
	ok     = 0
	failed = 1
	misuse = 2
)

// Program is a program with commands.
type Program struct {
	Grammar any // a pointer to a struct that embeds Common
	Common  *Common
	Names   map[string][]string // the values that shells complete, by the tag predictor
	Options []kong.Option
}

// Run runs the command that args name, with errors on stderr, and returns the exit code. Commands get ctx and a printer.
func (p Program) Run(ctx context.Context, args []string) int {
	parser := p.parser(kong.BindTo(ctx, (*context.Context)(nil)))
	kongplete.Complete(parser, p.predictors()...)
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	command, err := parser.Parse(args)
	if err != nil {
		return explain(os.Stderr, command, err)
	}
	command.Bind(printer.New(os.Stdout, p.Common.Format))
	return explain(os.Stderr, command, command.Run())
}

// parser returns the reader of the command line.
func (p Program) parser(more ...kong.Option) *kong.Kong {
	options := append([]kong.Option{
		kong.Name("popup"), kong.Description("A shop that costs nothing while nobody buys."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Vars{"version": "popup " + version()},
	}, more...)
	parser, err := kong.New(p.Grammar, append(options, p.Options...)...)
	if err != nil {
		panic(err)
	}
	return parser
}

// predictors complete the names of the program.
func (p Program) predictors() (options []kongplete.Option) {
	for name, values := range p.Names {
		options = append(options, kongplete.WithPredictor(name, complete.PredictSet(values...)))
	}
	return options
}

// explain prints what is wrong, and for a wrong command line where its help is. It returns the exit code.
func explain(out io.Writer, command *kong.Context, err error) int {
	if err == nil {
		return ok
	}
	var wrong *kong.ParseError
	var usage *usageError
	switch {
	case errors.As(err, &wrong):
		command = wrong.Context
		err = asCommand(command, err)
	case errors.As(err, &usage), errors.Is(err, printer.ErrNoCSV):
	default:
		fmt.Fprintln(out, "popup:", printer.Visible(text(err)))
		return failed
	}
	fmt.Fprintln(out, "popup:", printer.Visible(text(err)))
	fmt.Fprintf(out, "Run \"%s --help\" for usage.\n", path(command))
	return misuse
}

// path returns the words of a command, such as popup product list.
func path(command *kong.Context) string {
	words := "popup"
	if command == nil {
		return words
	}
	for _, step := range command.Path {
		if step.Command != nil && step.Command.Tag.Default == "" {
			words += " " + step.Command.Name
		}
	}
	return words
}

// helpCommand is replaced by --help before the command line is read; it is in the list of commands.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

// Run prints the help of the program.
func (helpCommand) Run(command *kong.Context) error {
	return command.PrintUsage(false)
}

// text returns an error in one line.
func text(err error) string {
	lines := strings.FieldsFunc(databaseWords(err), func(r rune) bool { return r == '\n' || r == '\r' })
	return withEnumSuggestion(strings.Join(lines, "; "))
}
