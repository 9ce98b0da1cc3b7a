package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/popup-shop/popup/internal/printer"
)

// version returns the version of the module, or development for a program that was built in its repository.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(out *printer.Printer) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	value := map[string]string{"version": version(), "go": runtime.Version(), "platform": platform}
	return out.Done(value, "popup %s %s %s", version(), runtime.Version(), platform)
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: ${enum}."`
}

// scripts have a shell ask the program, whose path is the verb, for what can follow.
var scripts = map[string]string{
	"bash": "complete -o default -C %[1]q popup\n",
	"zsh":  "autoload -U +X bashcompinit && bashcompinit\ncomplete -o default -C %[1]q popup\n",
	"fish": `function __complete_popup
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]q
end
complete -f -c popup -a "(__complete_popup)"
`,
}

// Run prints the script.
func (c completionCommand) Run() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	_, err = fmt.Printf(scripts[c.Shell], self)
	return err
}
